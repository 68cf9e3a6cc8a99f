using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_params_t. All these structs only ever grew at their end (1.13 to 1.22), so they are made larger than any release's and zeroed; the mask says what counts.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct UcpParams
{
    public const ulong FieldFeatures = 1 << 0;
    public const ulong FieldMtWorkersShared = 1 << 5;
    public const ulong FieldEstimatedEndpoints = 1 << 6;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public UcpFeatures Features;

    /// <summary>1: memory may be mapped while a worker's thread works.</summary>
    [FieldOffset(48)]
    public int MtWorkersShared;

    [FieldOffset(56)]
    public nuint EstimatedEndpoints;
}
