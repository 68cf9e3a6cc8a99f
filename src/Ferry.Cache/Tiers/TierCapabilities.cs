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

    /// <summary>Sees whether a put moves: ends one that stalls by itself, and lets a slow one go on.</summary>
    EndsStalledPuts = 64,

    /// <summary>Holds what another node keeps for itself. Peers are never told of it: a question that went on from peer to peer could go in a circle.</summary>
    OfPeer = 128,
}
