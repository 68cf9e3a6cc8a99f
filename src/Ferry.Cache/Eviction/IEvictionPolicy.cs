namespace Ferry.Cache.Eviction;

/// <summary>Decides which chunk goes first when room is needed. Called under the store's lock; every call is O(1) or amortized so.</summary>
/// <remarks>
/// A chunk that somebody reads is taken out by <see cref="Removed"/> when it comes up as a victim and comes back by <see cref="Added"/> after its last
/// reader, so a policy never sees a chunk that may not be evicted. A new policy is one file and one line in <see cref="EvictionPolicies"/>.
/// </remarks>
public interface IEvictionPolicy
{
    void Added(EvictionNode node);

    void Touched(EvictionNode node);

    /// <summary>The node leaves: evicted, removed by hand, or parked while it is read.</summary>
    void Removed(EvictionNode node);

    /// <summary>The node to go next, still held; null when none is left.</summary>
    EvictionNode? Victim();

    /// <summary>Nodes held, for integrity checks.</summary>
    int Count { get; }
}
