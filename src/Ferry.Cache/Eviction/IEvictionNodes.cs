namespace Ferry.Cache.Eviction;

/// <summary>What a policy orders, by number: chunks with all their shards, since a chunk without one of them is of no use to anybody.</summary>
internal interface IEvictionNodes
{
    ref EvictionLink LinkOf(int node);

    /// <summary>Arena bytes of the chunk's records.</summary>
    long BytesOf(int node);

    /// <summary>The same for a chunk that left and came back, another for every other chunk, all but surely.</summary>
    ulong FingerprintOf(int node);
}
