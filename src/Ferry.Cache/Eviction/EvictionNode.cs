namespace Ferry.Cache.Eviction;

/// <summary>What a policy orders: one chunk with all its shards, since a chunk without one of them is of no use to anybody.</summary>
/// <remarks>The links and <see cref="PolicyData"/> belong to the policy that holds the node; the store serializes all calls.</remarks>
public abstract class EvictionNode
{
    /// <summary>Record bytes of the chunk, for policies that weigh.</summary>
    public long RecordBytes { get; internal set; }

    internal EvictionNode? Previous { get; set; }

    internal EvictionNode? Next { get; set; }

    /// <summary>Room for the policy's own counter or queue number.</summary>
    internal int PolicyData { get; set; }
}
