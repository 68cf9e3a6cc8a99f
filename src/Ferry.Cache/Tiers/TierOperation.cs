namespace Ferry.Cache.Tiers;

/// <summary>What is timed at a tier.</summary>
public enum TierOperation
{
    Find,
    Read,
    Put,
    Delete,
}
