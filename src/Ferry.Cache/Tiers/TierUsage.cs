namespace Ferry.Cache.Tiers;

/// <param name="CapacityBytes">Null: no limit of its own.</param>
/// <param name="IsLowerBound">True when the count stopped at its own bound and there is more.</param>
public sealed record TierUsage(long Records, long Bytes, long? CapacityBytes, bool IsLowerBound);
