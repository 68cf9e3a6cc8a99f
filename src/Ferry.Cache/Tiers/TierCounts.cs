namespace Ferry.Cache.Tiers;

/// <summary>What a tier has done since it began.</summary>
public readonly record struct TierCounts(
    long Reads, long ReadBytes, long Misses, long Damaged, long Puts, long PutBytes, long Evictions, long Refused);
