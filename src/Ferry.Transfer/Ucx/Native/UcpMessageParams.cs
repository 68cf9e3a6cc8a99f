using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_am_recv_param_t: what comes with a message.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct UcpMessageParams
{
    /// <summary>UCP_AM_RECV_ATTR_FLAG_RNDV: the data has not come yet and would have to be fetched.</summary>
    public const ulong FlagRendezvous = 1 << 17;

    [FieldOffset(0)]
    public ulong Attributes;
}
