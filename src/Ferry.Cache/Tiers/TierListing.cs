namespace Ferry.Cache.Tiers;

/// <summary>One record in a walk over a tier.</summary>
public sealed record TierListing(string Location, long RecordBytes, DateTimeOffset LastUsed);
