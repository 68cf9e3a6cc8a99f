using Ferry.Cache.Tiers.Disk;

namespace Ferry.Cache.Remote.Settings;

/// <summary>A disk tier that was asked for.</summary>
/// <param name="CapacityBytes">Exact cap of everything in the directory.</param>
/// <param name="Sync">What a write promises.</param>
public sealed record DiskSettings(string Path, long CapacityBytes, DiskSyncPolicy Sync)
{
    /// <param name="policy">The memory's too: LMCache has one setting for both.</param>
    public DiskTierOptions ToOptions(string policy) => new() { Path = Path, CapacityBytes = CapacityBytes, Sync = Sync, Policy = policy };
}
