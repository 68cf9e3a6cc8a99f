using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_mem_attr_t; UCX writes only the fields of the mask.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct UcpMemAttributes
{
    public const ulong FieldAddress = 1 << 0;
    public const ulong FieldLength = 1 << 1;
    public const ulong FieldMemoryType = 1 << 2;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public void* Address;

    [FieldOffset(16)]
    public nuint Length;

    [FieldOffset(24)]
    public int MemoryType;
}
