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

    /// <summary>Media that may carry KV to peers, best first; empty without a hand-over.</summary>
    public IReadOnlyList<string> Media { get; init; } = [];

    /// <summary>Lenders connected to, by the medium that carries their bytes.</summary>
    public IReadOnlyDictionary<string, int> PeersByMedium { get; init; } = new Dictionary<string, int>();

    /// <summary>What came from prefill nodes, by peer and mode.</summary>
    public IReadOnlyList<KvHandoverTotals> Handovers { get; init; } = [];

    /// <summary>What hand-overs of this node to decode nodes take, by mode; empty unless it chooses by that.</summary>
    public IReadOnlyList<KvHandoverCost> Costs { get; init; } = [];

    /// <summary>Where peers may push KV to; null: they may not.</summary>
    public KvPushPlace? PushTo { get; init; }

    /// <summary>Record bytes that this node wrote into decode nodes' memory.</summary>
    public long BytesPushed { get; init; }

    /// <summary>Of <see cref="BytesPushed"/>, layers that were in the decode node's memory before the last layer of their chunk was computed.</summary>
    public long BytesPushedEarly { get; init; }

    /// <summary>Bytes of memory that are prepared for pushes, or hold what was pushed for requests that have not come yet.</summary>
    public long PushBytesHeld { get; init; }

    /// <summary>Pushes of peers that this node refused: no room, nothing wanted, too late.</summary>
    public long PushesRefused { get; init; }

    /// <summary>The memory tier; null when this node keeps none.</summary>
    public RecordStoreStats? Memory { get; init; }

    /// <summary>The tiers below memory.</summary>
    public IReadOnlyList<TierStats> Tiers { get; init; } = [];
}
