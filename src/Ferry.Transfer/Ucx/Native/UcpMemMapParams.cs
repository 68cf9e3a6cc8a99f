using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_mem_map_params_t.</summary>
[StructLayout(LayoutKind.Explicit, Size = 96)]
internal unsafe struct UcpMemMapParams
{
    public const ulong FieldAddress = 1 << 0;
    public const ulong FieldLength = 1 << 1;
    public const ulong FieldFlags = 1 << 2;
    public const ulong FieldMemoryType = 1 << 4;

    /// <summary>UCP_MEM_MAP_ALLOCATE: UCX brings the memory, such as a segment that its shared-memory transports map on both sides.</summary>
    public const uint FlagAllocate = 1 << 1;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public void* Address;

    [FieldOffset(16)]
    public nuint Length;

    [FieldOffset(24)]
    public uint Flags;

    [FieldOffset(32)]
    public int MemoryType;
}
