using Ferry.Cache;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange;

/// <summary>The traces of requests not yet forgotten, and the counters. Thread-safe.</summary>
internal sealed class ReportBook(int reportsMax, RecordCache cache) : IKvReports
{
    private const int HandoverPeersMax = 256; // Series of metrics are kept for ever.

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string RequestId, RequestTrace Trace)>> _traces = new(StringComparer.Ordinal);
    private readonly LinkedList<(string RequestId, RequestTrace Trace)> _byAge = new();
    private readonly Dictionary<(string Peer, HandoverMode Mode), KvHandoverTotals> _handovers = [];
    private readonly HashSet<string> _handoverPeers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (long Tokens, long Bytes)> _byTier = new(StringComparer.Ordinal);

    public ExchangeCounters Counters { get; } = new();

    /// <summary>Media that may carry KV to peers; set once the hand-over opens.</summary>
    public IReadOnlyList<string> Media { get; set; } = [];

    /// <summary>The connections to lenders; set once the hand-over opens.</summary>
    public PeerConnections? Peers { get; set; }

    /// <summary>Where peers may push; set once the hand-over opens, if they may.</summary>
    public KvPushPlace? PushTo { get; set; }

    /// <summary>What hand-overs of this node take; null unless it chooses by that.</summary>
    public HandoverCosts? Costs { get; set; }

    /// <summary>Counts the memory that pushes take; set by the exchange.</summary>
    public Func<long> PushBytesHeld { get; set; } = static () => 0;

    /// <summary>The request's trace; a new one if there is none. The oldest goes when there are too many.</summary>
    public RequestTrace Open(string requestId)
    {
        lock (_lock)
        {
            if (_traces.TryGetValue(requestId, out var node))
            {
                return node.Value.Trace;
            }
            if (_traces.Count >= reportsMax)
            {
                _traces.Remove(_byAge.First!.Value.RequestId);
                _byAge.RemoveFirst();
            }
            node = _byAge.AddLast((requestId, new RequestTrace()));
            _traces.Add(requestId, node);
            return node.Value.Trace;
        }
    }

    public KvRequestReport? TryGet(string requestId)
    {
        lock (_lock)
        {
            return _traces.TryGetValue(requestId, out var node) ? node.Value.Trace.ToReport() : null;
        }
    }

    public void Forget(string requestId)
    {
        lock (_lock)
        {
            if (_traces.Remove(requestId, out var node))
            {
                _byAge.Remove(node);
            }
        }
    }

    /// <summary>Counts what a load brought from one source.</summary>
    public void CountLoaded(string tier, int tokens, long bytes)
    {
        lock (_lock)
        {
            var (tokensBefore, bytesBefore) = _byTier.GetValueOrDefault(tier);
            _byTier[tier] = (tokensBefore + tokens, bytesBefore + bytes);
        }
    }

    /// <summary>Counts a hand-over of a prefill node. An engine id is new at each start of a node, so only the first so many have a line of their own.</summary>
    public void CountHandover(string peer, HandoverMode mode, long bytes, TimeSpan time)
    {
        lock (_lock)
        {
            if (_handoverPeers.Count < HandoverPeersMax)
            {
                _handoverPeers.Add(peer);
            }
            peer = _handoverPeers.Contains(peer) ? peer : "other";
            var before = _handovers.GetValueOrDefault((peer, mode)) ?? new KvHandoverTotals(peer, mode, 0, 0, TimeSpan.Zero);
            _handovers[(peer, mode)] = before with { Count = before.Count + 1, Bytes = before.Bytes + bytes, Time = before.Time + time };
        }
    }

    public KvTotals Snapshot()
    {
        var memory = cache.Memory.Snapshot();
        var tiers = cache.SnapshotTiers();
        var peers = Peers?.CountByMedium();
        lock (_lock)
        {
            return new KvTotals
            {
                BytesMovedByTier = _byTier.ToDictionary(pair => pair.Key, pair => pair.Value.Bytes),
                TokensLoadedByTier = _byTier.ToDictionary(pair => pair.Key, pair => pair.Value.Tokens),
                BytesConverted = Counters.BytesConverted.Value,
                BytesSaved = Counters.BytesSaved.Value,
                BytesServed = Counters.BytesServed.Value,
                ChecksumFailures = Counters.ChecksumFailures.Value + tiers.Sum(tier => tier.Counts.Damaged),
                Nacks = Counters.Nacks.Value,
                LoadFailures = Counters.LoadFailures.Value,
                HandoversDone = Counters.HandoversDone.Value,
                HandoversMissed = Counters.HandoversMissed.Value,
                HandoversLent = Counters.HandoversLent.Value,
                LeasesExpired = cache.Memory.Pins.Expired,
                MemoryBytesUsed = memory.UsedBytes,
                MemoryBytesLimit = memory.CapacityBytes,
                Media = Media,
                PeersByMedium = peers ?? new Dictionary<string, int>(),
                Handovers = [.. _handovers.Values],
                Costs = Costs?.Snapshot() ?? [],
                PushTo = PushTo,
                BytesPushed = Counters.BytesPushed.Value,
                BytesPushedEarly = Counters.BytesPushedEarly.Value,
                PushBytesHeld = PushBytesHeld(),
                PushesRefused = Counters.PushesRefused.Value,
                Memory = memory,
                Tiers = tiers,
            };
        }
    }
}
