namespace Ferry.Cache.Tiers;

public enum TierPutOutcome
{
    Stored,

    /// <summary>Somebody stored the same record before.</summary>
    Present,

    /// <summary>No room, also after evicting what may be evicted.</summary>
    Full,

    /// <summary>The tier may be read only.</summary>
    ReadOnly,

    /// <summary>The tier is off, too slow, or failed.</summary>
    Unavailable,
}
