namespace Ferry.Cache.Tiers;

/// <summary>One record in a walk over a tier.</summary>
public sealed record TierListing(string Location, long RecordBytes, DateTimeOffset LastUsed)
{
    /// <summary>What <see cref="IKvTier.ReadAsync"/> takes; null where the tier cannot say a record's key without reading it.</summary>
    public TierRecord? Record { get; init; }
}
