using Ferry.Cache;
using Ferry.Cache.Records;

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

    /// <summary>Loads that ended early: a deadline, a peer that died, an error.</summary>
    public long LoadFailures { get; init; }

    /// <summary>Requests whose parameters asked for KV of a peer and got some, from it or from a nearer tier.</summary>
    public long HandoversDone { get; init; }

    /// <summary>Requests whose parameters asked for KV of a peer and got none, although they needed it.</summary>
    public long HandoversMissed { get; init; }

    /// <summary>Finished prefills whose KV was held for a decode node.</summary>
    public long HandoversLent { get; init; }

    public long LeasesExpired { get; init; }

    /// <summary>Bytes in the memory tier now.</summary>
    public long MemoryBytesUsed { get; init; }

    public long MemoryBytesLimit { get; init; }

    /// <summary>The memory tier; null when this node keeps none.</summary>
    public RecordStoreStats? Memory { get; init; }

    /// <summary>The tiers below memory.</summary>
    public IReadOnlyList<TierStats> Tiers { get; init; } = [];
}
