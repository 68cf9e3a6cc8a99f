using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_ep_params_t.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal unsafe struct UcpEndpointParams
{
    public const ulong FieldRemoteAddress = 1 << 0;
    public const ulong FieldErrorMode = 1 << 1;
    public const ulong FieldErrorHandler = 1 << 2;

    /// <summary>UCP_ERR_HANDLING_MODE_PEER: a dead peer fails what is in flight. Without it a transfer over tcp hangs for ever.</summary>
    public const int ErrorModePeer = 1;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public void* RemoteAddress;

    [FieldOffset(16)]
    public int ErrorMode;

    [FieldOffset(24)]
    public delegate* unmanaged[Cdecl]<void*, void*, sbyte, void> ErrorCallback;

    [FieldOffset(32)]
    public void* ErrorArgument;
}
