namespace Ferry.Cache.Tiers;

/// <param name="Records">Proved or found damaged so far.</param>
/// <param name="Bytes">Of those records.</param>
/// <param name="BytesTotal">Of all records, where the tier knows it before it has read them; else null.</param>
public readonly record struct TierVerifyProgress(long Records, long Bytes, long Damaged, long? BytesTotal);
