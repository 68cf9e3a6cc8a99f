using System.Globalization;
using Ferry.Kv.Metrics;

namespace Ferry.Router.Metrics;

/// <summary>The router's own figures. Latencies have vLLM's stems and buckets, so that its dashboards fit after a change of prefix.</summary>
public sealed class RouterMetrics
{
    private readonly MetricFamily _requests;
    private readonly MetricSeries _handovers;
    private readonly MetricFamily _decodeOnly;
    private readonly MetricSeries _noParameters;
    private readonly MetricFamily _nodeFailures;
    private readonly MetricFamily _transferFailures;
    private readonly MetricSeries _firstToken;
    private readonly MetricSeries _interToken;
    private readonly MetricSeries _perOutputToken;
    private readonly MetricSeries _endToEnd;
    // By role: the names of a series need not be put together for each leg.
    private readonly MetricSeries[] _leg;
    private readonly MetricSeries[] _legFirstByte;
    private readonly MetricSeries _kvTokens;
    private readonly MetricSeries _kvBytes;
    private readonly MetricSeries _kvProofs;
    private readonly MetricSeries _lookedTokens;
    private readonly MetricSeries _hitTokens;
    private readonly MetricSeries[] _promptTokens;
    private readonly MetricSeries[] _cachedTokens;
    private readonly MetricSeries[] _generatedTokens;
    private readonly MetricFamily _ejections;
    private readonly MetricFamily _reloads;
    private readonly MetricFamily _shared;
    private readonly MetricSeries _inFlight;
    private readonly MetricSeries _refused;

    public RouterMetrics()
    {
        _requests = Registry.Counter("ferry_router_requests_total", "Requests by path and status.", "path", "status");
        _handovers = Registry.Counter("ferry_router_handovers_total", "Requests whose decode leg carried the prefill node's kv_transfer_params.").With();
        _decodeOnly = Registry.Counter("ferry_router_decode_only_total", "Requests that the decode node did alone, by reason.", "reason");
        _noParameters = Registry.Counter("ferry_router_transfer_missing_total", "Prefill legs that answered 200 without kv_transfer_params: alert on any increase.").With();
        _nodeFailures = Registry.Counter("ferry_router_node_failures_total", "Legs that a node failed.", "node", "role");
        _transferFailures = Registry.Counter("ferry_router_transfer_failures_total", "Transfers that failed, by pair.", "prefill", "decode");
        _firstToken = Registry.Histogram("ferry_router_time_to_first_token_seconds", "From arrival to the first token for the client, both legs.", MetricBuckets.TimeToFirstToken).With();
        _interToken = Registry.Histogram("ferry_router_inter_token_latency_seconds", "Between two events of a stream.", MetricBuckets.InterToken).With();
        _perOutputToken = Registry.Histogram("ferry_router_request_time_per_output_token_seconds", "Mean time of a token after the first, by request.", MetricBuckets.InterToken).With();
        _endToEnd = Registry.Histogram("ferry_router_e2e_request_latency_seconds", "From arrival to the last byte.", MetricBuckets.Request).With();
        _leg = ByRole(Registry.Histogram("ferry_router_leg_seconds", "One leg, from sent to its last byte.", MetricBuckets.Request, "leg"));
        _legFirstByte = ByRole(Registry.Histogram("ferry_router_leg_first_byte_seconds", "One leg, from sent to its first byte.", MetricBuckets.TimeToFirstToken, "leg"));
        _kvTokens = Registry.Counter("ferry_router_kv_moved_tokens_total", "Prompt tokens whose KV is proven to have moved.").With();
        _kvBytes = Registry.Counter("ferry_router_kv_moved_bytes_total", "KV bytes proven to have moved.").With();
        _kvProofs = Registry.Counter("ferry_router_kv_moved_requests_total", "Requests with proof that KV moved.").With();
        _lookedTokens = Registry.Counter("ferry_router_prefix_cache_queries_total", "Prompt tokens of requests for which the prefix index was asked.").With();
        _hitTokens = Registry.Counter("ferry_router_prefix_cache_hits_total", "Of these, those that the chosen node was believed to have.").With();
        _promptTokens = ByRole(Registry.Counter("ferry_router_prompt_tokens_total", "Prompt tokens, as nodes report them, by leg.", "leg"));
        _cachedTokens = ByRole(Registry.Counter("ferry_router_cached_tokens_total", "Of these, those that the node did not have to compute.", "leg"));
        _generatedTokens = ByRole(Registry.Counter("ferry_router_generation_tokens_total", "Generated tokens, as nodes report them, by leg.", "leg"));
        _ejections = Registry.Counter("ferry_router_node_ejections_total", "Times that a node was left out because its legs failed.", "node", "role");
        _reloads = Registry.Counter("ferry_router_reloads_total", "Readings of the configuration, by result.", "result");
        _shared = Registry.Counter("ferry_router_prefix_shared_total", "Routes of other routers: taken, dropped (ours, that they did not get), unreadable.", "result");
        _inFlight = Registry.Gauge("ferry_router_in_flight", "Requests in either leg.").With();
        _refused = Registry.Counter("ferry_router_refused_total", "Requests answered 429.").With();
    }

    public MetricRegistry Registry { get; } = new();

    public void RequestDone(string path, int status, TimeSpan elapsed)
    {
        _requests.With(path, status.ToString(CultureInfo.InvariantCulture)).Add();
        _endToEnd.Observe(elapsed.TotalSeconds);
    }

    public void Handover() => _handovers.Add();

    public void DecodeOnly(string reason) => _decodeOnly.With(reason).Add();

    /// <summary>A prefill node answered 200 and lends nothing.</summary>
    public void TransferMissing() => _noParameters.Add();

    public void NodeFailed(Node node) => _nodeFailures.With(node.Name, NameOf(node.Role)).Add();

    public void PrefillDone(TimeSpan elapsed) => LegDone(NodeRole.Prefill, elapsed);

    /// <summary>The first token (of a whole answer: its first byte) goes to the client.</summary>
    public void FirstByte(TimeSpan sinceArrival) => _firstToken.Observe(sinceArrival.TotalSeconds);

    /// <summary>An event of a stream, not its first, goes to the client.</summary>
    public void NextToken(TimeSpan sinceLast) => _interToken.Observe(sinceLast.TotalSeconds);

    /// <summary>A stream is over.</summary>
    /// <param name="sinceFirst">From its first token to its last.</param>
    /// <param name="tokensAfterFirst">More than 0.</param>
    public void StreamDone(TimeSpan sinceFirst, long tokensAfterFirst) => _perOutputToken.Observe(sinceFirst.TotalSeconds / tokensAfterFirst);

    public void InFlight(int change) => _inFlight.Add(change);

    public void Refused() => _refused.Add();

    internal void LegDone(NodeRole role, TimeSpan elapsed) => _leg[(int)role].Observe(elapsed.TotalSeconds);

    internal void LegFirstByte(NodeRole role, TimeSpan elapsed) => _legFirstByte[(int)role].Observe(elapsed.TotalSeconds);

    internal void Looked(int promptTokens, int hitTokens)
    {
        _lookedTokens.Add(promptTokens);
        _hitTokens.Add(hitTokens);
    }

    internal void Tokens(Node node, int prompt, int cached, int generated)
    {
        var leg = (int)node.Role;
        _promptTokens[leg].Add(prompt);
        _cachedTokens[leg].Add(cached);
        _generatedTokens[leg].Add(generated);
    }

    internal void NodeEjected(Node node) => _ejections.With(node.Name, NameOf(node.Role)).Add();

    internal void ShareTaken() => _shared.With("taken").Add();

    internal void ShareDropped() => _shared.With("dropped").Add();

    internal void ShareUnreadable() => _shared.With("unreadable").Add();

    internal void Reloaded(bool wasTaken) => _reloads.With(wasTaken ? "taken" : "refused").Add();

    internal void TransferFailed(string prefill, string decode) => _transferFailures.With(prefill, decode).Add();

    internal void KvMoved(long tokens, long bytes)
    {
        _kvProofs.Add();
        _kvTokens.Add(tokens);
        _kvBytes.Add(bytes);
    }

    private static MetricSeries[] ByRole(MetricFamily family) => [family.With(NameOf(NodeRole.Prefill)), family.With(NameOf(NodeRole.Decode))];

    internal static string NameOf(NodeRole role) => role == NodeRole.Prefill ? "prefill" : "decode";
}
