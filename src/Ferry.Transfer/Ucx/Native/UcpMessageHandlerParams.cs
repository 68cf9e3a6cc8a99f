using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_am_handler_param_t.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct UcpMessageHandlerParams
{
    public const ulong FieldId = 1 << 0;
    public const ulong FieldFlags = 1 << 1;
    public const ulong FieldCallback = 1 << 2;
    public const ulong FieldArgument = 1 << 3;

    /// <summary>UCP_AM_FLAG_WHOLE_MSG: one call a message, however many packets it came in.</summary>
    public const uint FlagWholeMessage = 1 << 0;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public uint Id;

    [FieldOffset(12)]
    public uint Flags;

    [FieldOffset(16)]
    public delegate* unmanaged[Cdecl]<void*, void*, nuint, void*, nuint, UcpMessageParams*, sbyte> Callback;

    [FieldOffset(24)]
    public void* Argument;
}
