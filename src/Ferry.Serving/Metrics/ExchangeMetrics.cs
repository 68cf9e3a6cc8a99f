using Ferry.Kv.Metrics;
using Ferry.Serving.Options;

namespace Ferry.Serving.Metrics;

/// <summary>The exchange's counters: the proof, in sum, of what moved.</summary>
internal sealed class ExchangeMetrics
{
    private const int CostPeersMax = 256;

    private readonly IKvReports _reports;
    private readonly MetricFamily _bytesMoved;
    private readonly MetricFamily _tokensLoaded;
    private readonly MetricFamily _media;
    private readonly MetricFamily _peers;
    private readonly MetricFamily _handovers;
    private readonly MetricFamily _handoverBytes;
    private readonly MetricFamily _handoverSeconds;
    private readonly MetricFamily _choices;
    private readonly MetricFamily _fixedSeconds;
    private readonly MetricFamily _secondsPerGibibyte;
    private readonly HashSet<string> _costPeers = new(StringComparer.Ordinal);
    private readonly List<(MetricSeries Series, Func<KvTotals, double> Read)> _copies = [];

    public ExchangeMetrics(MetricRegistry registry, IKvReports reports)
    {
        _reports = reports;
        _bytesMoved = registry.Counter("ferry_kv_bytes_moved_total", "KV payload bytes loaded, by tier.", "tier");
        _tokensLoaded = registry.Counter("ferry_kv_tokens_loaded_total", "Prompt tokens whose KV was loaded, by tier.", "tier");
        _media = registry.Gauge("ferry_kv_medium_enabled", "1 for each medium that may carry KV to peers (chosen by UCX_TLS and the host).", "medium");
        _peers = registry.Gauge("ferry_kv_peers", "Peers that KV is fetched from or pushed to, by the medium that carries it.", "medium");
        _handovers = registry.Counter("ferry_kv_handovers_total", "Hand-overs to this node, by prefill node and mode.", "peer", "mode");
        _handoverBytes = registry.Counter("ferry_kv_handover_bytes_total", "KV payload bytes that came from prefill nodes, by node and mode.", "peer", "mode");
        _handoverSeconds = registry.Counter("ferry_kv_handover_seconds_total", "What requests waited for KV of prefill nodes at this node, by node and mode.", "peer", "mode");
        _choices = registry.Counter("ferry_kv_handover_choices_total", "Hand-overs that this prefill node, with handover_mode auto, gave each mode, by decode node.", "peer", "mode");
        _fixedSeconds = registry.Gauge("ferry_kv_handover_cost_fixed_seconds", "Measured by decode nodes: what a hand-over of any size takes, by decode node, medium and mode.", "peer", "medium", "mode");
        _secondsPerGibibyte = registry.Gauge("ferry_kv_handover_cost_seconds_per_gib", "Measured by decode nodes: what each GiB takes besides, by decode node, medium and mode.", "peer", "medium", "mode");
        Add(registry.Counter("ferry_kv_bytes_converted_total", "Loaded bytes that were rewritten into this node's layout."), totals => totals.BytesConverted);
        Add(registry.Counter("ferry_kv_bytes_saved_total", "Bytes put into the exchange."), totals => totals.BytesSaved);
        Add(registry.Counter("ferry_kv_bytes_served_total", "Bytes that peers read from this node."), totals => totals.BytesServed);
        Add(registry.Counter("ferry_kv_bytes_pushed_total", "Bytes that this node wrote into decode nodes' memory."), totals => totals.BytesPushed);
        Add(registry.Counter("ferry_kv_bytes_pushed_early_total", "Pushed bytes that were in place before the last layer of their chunk was computed."), totals => totals.BytesPushedEarly);
        Add(registry.Counter("ferry_kv_pushes_refused_total", "Pushes of peers that were refused: no room, nothing wanted, too late."), totals => totals.PushesRefused);
        Add(registry.Gauge("ferry_kv_push_bytes", "Memory prepared for pushes, or holding what was pushed for requests that have not come yet."), totals => totals.PushBytesHeld);
        Add(registry.Counter("ferry_kv_checksum_failures_total", "Damaged records, dropped and computed anew."), totals => totals.ChecksumFailures);
        Add(registry.Counter("ferry_kv_nacks_total", "Reads refused because a lease had ended."), totals => totals.Nacks);
        Add(registry.Counter("ferry_kv_load_failures_total", "Loads that failed and were computed instead."), totals => totals.LoadFailures);
        Add(registry.Counter("ferry_kv_leases_expired_total", "Leases that ended before anybody read."), totals => totals.LeasesExpired);
        Add(registry.Gauge("ferry_kv_memory_bytes", "Bytes in the memory tier."), totals => totals.MemoryBytesUsed);
        Add(registry.Gauge("ferry_kv_memory_limit_bytes", "Cap of the memory tier."), totals => totals.MemoryBytesLimit);
        registry.OnCollect(Copy);
    }

    private void Add(MetricFamily family, Func<KvTotals, double> read) => _copies.Add((family.With(), read));

    private void Copy()
    {
        var totals = _reports.Snapshot();
        foreach (var (series, read) in _copies)
        {
            series.Set(read(totals));
        }
        foreach (var (tier, bytes) in totals.BytesMovedByTier)
        {
            _bytesMoved.With(tier).Set(bytes);
        }
        foreach (var medium in totals.Media)
        {
            _media.With(medium).Set(1);
            _peers.With(medium).Set(totals.PeersByMedium.GetValueOrDefault(medium));
        }
        foreach (var handover in totals.Handovers)
        {
            var (peer, mode) = (handover.Peer, handover.Mode.Name());
            _handovers.With(peer, mode).Set(handover.Count);
            _handoverBytes.With(peer, mode).Set(handover.Bytes);
            _handoverSeconds.With(peer, mode).Set(handover.Time.TotalSeconds);
        }
        foreach (var cost in totals.Costs)
        {
            CopyCost(cost);
        }
        foreach (var (tier, tokens) in totals.TokensLoadedByTier)
        {
            _tokensLoaded.With(tier).Set(tokens);
        }
    }

    /// <summary>Series are kept for ever, and an engine id is new at each start of a node: only the first so many decode nodes have theirs.</summary>
    private void CopyCost(KvHandoverCost cost)
    {
        if (!_costPeers.Contains(cost.Peer) && (_costPeers.Count >= CostPeersMax || !_costPeers.Add(cost.Peer)))
        {
            return;
        }
        _choices.With(cost.Peer, cost.Mode.Name()).Set(cost.Choices);
        if (cost.Samples > 0)
        {
            _fixedSeconds.With(cost.Peer, cost.Medium, cost.Mode.Name()).Set(cost.FixedSeconds);
            _secondsPerGibibyte.With(cost.Peer, cost.Medium, cost.Mode.Name()).Set(cost.SecondsPerByte * (1L << 30));
        }
    }
}
