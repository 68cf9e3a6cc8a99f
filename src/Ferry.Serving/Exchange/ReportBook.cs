using Ferry.Cache;

namespace Ferry.Serving.Exchange;

/// <summary>The traces of requests not yet forgotten, and the counters. Thread-safe.</summary>
internal sealed class ReportBook(int reportsMax, RecordCache cache) : IKvReports
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string RequestId, RequestTrace Trace)>> _traces = new(StringComparer.Ordinal);
    private readonly LinkedList<(string RequestId, RequestTrace Trace)> _byAge = new();
    private readonly SortedDictionary<string, (long Tokens, long Bytes)> _byTier = new(StringComparer.Ordinal);

    public ExchangeCounters Counters { get; } = new();

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

    public KvTotals Snapshot()
    {
        var memory = cache.Memory.Snapshot();
        var tiers = cache.SnapshotTiers();
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
                Memory = memory,
                Tiers = tiers,
            };
        }
    }
}
