namespace Ferry.Cache.Eviction;

/// <summary>A chunk's place in the lists of the policy that holds it. Twelve bytes, since there is one for each chunk.</summary>
internal struct EvictionLink
{
    public int Previous;
    public int Next;

    /// <summary>The policy's own: a counter, the number of a queue. Kept while the chunk is parked.</summary>
    public int Data;
}
