using Ferry.Cache.Tiers;

namespace Ferry.Cache;

/// <summary>One tier below memory, for metrics.</summary>
/// <param name="IsOff">Whether its circuit breaker is open now.</param>
public sealed record TierStats(
    string Name, bool IsOff, TierCounts Counts, long Failures, long Timeouts, long QueuedBytes, long Written, long WriteDropped, long WriteFailed);
