namespace Ferry.Serving;

/// <summary>Counters of the exchange since the start.</summary>
public sealed record KvTotals
{
    /// <summary>Payload bytes loaded, by tier ("peer", "memory", "directory").</summary>
    public IReadOnlyDictionary<string, long> BytesMovedByTier { get; init; } = new Dictionary<string, long>();

    public IReadOnlyDictionary<string, long> TokensLoadedByTier { get; init; } = new Dictionary<string, long>();

    public long BytesConverted { get; init; }

    public long BytesSaved { get; init; }

    /// <summary>Bytes that peers read from this node.</summary>
    public long BytesServed { get; init; }

    public long ChecksumFailures { get; init; }

    /// <summary>Reads of peers that this node refused, and reads of this node that peers refused.</summary>
    public long Nacks { get; init; }

    public long LoadFailures { get; init; }

    public long LeasesExpired { get; init; }

    /// <summary>Bytes in the memory tier now.</summary>
    public long MemoryBytesUsed { get; init; }

    public long MemoryBytesLimit { get; init; }
}
