namespace Ferry.Cache.Tiers;

/// <param name="Records">Records read, damaged ones included.</param>
/// <param name="Bytes">Of those records.</param>
/// <param name="Damaged">How many of them are damaged.</param>
/// <param name="Named">The damaged ones, up to <see cref="TierVerifyOptions.DamagedNamedMax"/>, by location.</param>
public sealed record TierVerifyReport(long Records, long Bytes, long Damaged, IReadOnlyList<DamagedRecord> Named);
