using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers;

/// <param name="Header">The proved header when the outcome is <see cref="TierReadOutcome.Read"/>, else null.</param>
public readonly record struct TierRead(TierReadOutcome Outcome, KvRecordHeader? Header)
{
    public static TierRead Of(TierReadOutcome outcome) => new(outcome, null);
}
