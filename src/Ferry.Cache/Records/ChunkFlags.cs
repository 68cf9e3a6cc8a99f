namespace Ferry.Cache.Records;

[Flags]
internal enum ChunkFlags : byte
{
    None = 0,

    /// <summary>The policy does not hold the chunk, because a reader held a record of it when it came up for eviction.</summary>
    Parked = 1,

    /// <summary>Pinned softly: evicted after all that is not.</summary>
    Soft = 2,
}
