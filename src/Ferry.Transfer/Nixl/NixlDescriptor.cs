namespace Ferry.Transfer.Nixl;

/// <summary>A range of memory as NIXL names it.</summary>
/// <param name="DeviceId">0 for DRAM.</param>
public readonly record struct NixlDescriptor(ulong Address, ulong Bytes, ulong DeviceId)
{
    /// <summary>Three little-endian 64-bit numbers.</summary>
    public const int WireBytes = 24;

    /// <summary>True if all of the other lies in this one, on the same device.</summary>
    public bool Covers(in NixlDescriptor other) =>
        other.DeviceId == DeviceId && other.Address >= Address && other.Bytes <= Bytes && other.Address - Address <= Bytes - other.Bytes;
}
