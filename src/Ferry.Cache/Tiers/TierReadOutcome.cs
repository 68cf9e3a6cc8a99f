namespace Ferry.Cache.Tiers;

public enum TierReadOutcome
{
    Read,

    /// <summary>Gone since it was found.</summary>
    Missing,

    /// <summary>There, but not what was written; dropped and counted.</summary>
    Damaged,

    /// <summary>The tier is off, too slow, or failed.</summary>
    Unavailable,
}
