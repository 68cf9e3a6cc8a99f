namespace Ferry.Cache.Tiers;

/// <param name="Location">The tier's own name for it, as in <see cref="TierListing.Location"/>.</param>
/// <param name="Reason">The first check that failed.</param>
public sealed record DamagedRecord(string Location, string Reason);
