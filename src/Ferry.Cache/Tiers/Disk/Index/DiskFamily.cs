using Ferry.Kv.Layout;

namespace Ferry.Cache.Tiers.Disk.Index;

/// <summary>A layout without its head span and, if opaque, without its length: what many records have in common. Kept once while a record needs it.</summary>
internal sealed class DiskFamily((UInt128 Low, UInt128 High) code, ulong digest, int modelHeads, KvLayout? layout)
{
    public (UInt128 Low, UInt128 High) Code { get; } = code;

    /// <summary>For <see cref="TierRecord.Family"/>.</summary>
    public ulong Digest { get; } = digest;

    public int ModelHeads { get; } = modelHeads;

    /// <summary>For <see cref="TierRecord.FamilyLayout"/>; null for opaque records.</summary>
    public KvLayout? Layout { get; } = layout;

    public int RecordCount { get; set; }
}
