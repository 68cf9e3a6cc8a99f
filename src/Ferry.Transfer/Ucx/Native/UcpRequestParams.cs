using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_request_param_t: 72 bytes in 1.13, 96 in 1.22.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct UcpRequestParams
{
    public const uint AttributeCallback = 1 << 1;
    public const uint AttributeUserData = 1 << 2;
    public const uint AttributeDatatype = 1 << 3;
    public const uint AttributeFlags = 1 << 4;
    public const uint AttributeMemory = 1 << 8;

    /// <summary>UCP_EP_CLOSE_FLAG_FORCE: end at once, what is in flight fails.</summary>
    public const uint FlagCloseForce = 1 << 0;

    /// <summary>UCP_AM_SEND_FLAG_EAGER: the receiver gets the data with the message and need not fetch it.</summary>
    public const uint FlagMessageEager = 1 << 1;

    [FieldOffset(0)]
    public uint AttributeMask;

    [FieldOffset(4)]
    public uint Flags;

    [FieldOffset(16)]
    public delegate* unmanaged[Cdecl]<void*, sbyte, void*, void> Callback;

    [FieldOffset(24)]
    public ulong Datatype;

    [FieldOffset(32)]
    public void* UserData;

    [FieldOffset(64)]
    public void* Memory;
}
