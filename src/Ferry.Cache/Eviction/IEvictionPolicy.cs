namespace Ferry.Cache.Eviction;

/// <summary>Decides which chunk goes first when room is needed. Called under the store's lock; every call is O(1) or amortized so.</summary>
/// <remarks>
/// A chunk that somebody reads is parked when it comes up as a victim and resumed after its last reader, so a policy never names a chunk that may not
/// be evicted twice. Nodes are numbers, links lie with the chunks (<see cref="IEvictionNodes"/>): a policy allocates nothing for a chunk. A new policy is
/// one file and one line in <see cref="EvictionPolicies"/>.
/// </remarks>
internal interface IEvictionPolicy
{
    /// <summary>No node.</summary>
    const int None = -1;

    /// <summary>A chunk that was not there.</summary>
    void Added(int node);

    /// <param name="isUse">False when only the order within a chain is put right: no use is counted.</param>
    void Touched(int node, bool isUse);

    /// <summary>The node leaves for good. Not called for one that is parked.</summary>
    /// <param name="isEvicted">False when it was removed by hand.</param>
    void Removed(int node, bool isEvicted);

    /// <summary>The node is out of the lists until it is resumed; what its link's data says is kept.</summary>
    void Parked(int node);

    void Resumed(int node);

    /// <summary>The node to go next, still held; <see cref="None"/> when none is left.</summary>
    int Victim();

    /// <summary>Nodes held, for integrity checks.</summary>
    int Count { get; }
}
