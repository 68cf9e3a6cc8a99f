namespace Ferry.Cache.Tiers.Disk;

/// <summary>What a put that was answered with <see cref="TierPutOutcome.Stored"/> survives. None of them ever lets a torn record be served.</summary>
/// <remarks>The end of the process, kill -9 included, loses nothing that was answered, whatever the policy: the kernel has the bytes.</remarks>
public enum DiskSyncPolicy
{
    /// <summary>A power failure may lose every record of the segments that were being filled, and may bring back what was deleted. Whole segments are synced when they are full.</summary>
    None,

    /// <summary>A power failure loses what was answered within the last <see cref="DiskTierOptions.SyncInterval"/>, and the time one sync takes.</summary>
    Interval,

    /// <summary>A power failure loses nothing: the answer waits for the medium. Puts at the same time share a sync.</summary>
    Every,
}
