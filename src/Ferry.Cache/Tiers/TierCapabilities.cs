namespace Ferry.Cache.Tiers;

[Flags]
public enum TierCapabilities
{
    None = 0,

    /// <summary>Find and read.</summary>
    Read = 1,
    Put = 2,
    Delete = 4,
    List = 8,

    /// <summary>Says what it holds and how much it may.</summary>
    Measure = 16,

    /// <summary>Other nodes see what this one puts.</summary>
    Shared = 32,
}
