using Ferry.Cache.Tiers;

namespace Ferry.Cache;

/// <summary>One tier below memory, for metrics.</summary>
/// <param name="IsReadingOff">Whether nothing is read from it now, because reading failed.</param>
/// <param name="IsWritingOff">Whether nothing is written to it now, because writing failed.</param>
public sealed record TierStats(
    string Name, bool IsReadingOff, bool IsWritingOff, TierCounts Counts, long Failures, long Timeouts, long QueuedBytes, long Written,
    long WriteDropped, long WriteFailed)
{
    public string Kind { get; init; } = "";

    /// <summary>Records removed before they were written behind, or while they were.</summary>
    public long WriteWithdrawn { get; init; }

    public TierRates Rates { get; init; }
}
