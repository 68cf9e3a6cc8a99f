using Ferry.Kv.Metrics;

namespace Ferry.Router.Metrics;

/// <summary>The router's own figures.</summary>
public sealed class RouterMetrics
{
    private readonly MetricFamily _requests;
    private readonly MetricSeries _handovers;
    private readonly MetricFamily _decodeOnly;
    private readonly MetricFamily _nodeFailures;
    private readonly MetricSeries _prefill;
    private readonly MetricSeries _firstByte;
    private readonly MetricSeries _endToEnd;
    private readonly MetricSeries _inFlight;
    private readonly MetricSeries _refused;

    public RouterMetrics()
    {
        _requests = Registry.Counter("ferry_router_requests_total", "Requests by path and status.", "path", "status");
        _handovers = Registry.Counter("ferry_router_handovers_total", "Requests whose decode leg carried the prefill node's kv_transfer_params.").With();
        _decodeOnly = Registry.Counter("ferry_router_decode_only_total", "Requests that the decode node did alone, by reason.", "reason");
        _nodeFailures = Registry.Counter("ferry_router_node_failures_total", "Legs that a node failed.", "node", "role");
        _prefill = Registry.Histogram("ferry_router_prefill_seconds", "The prefill leg.", MetricBuckets.TimeToFirstToken).With();
        _firstByte = Registry.Histogram("ferry_router_time_to_first_byte_seconds", "From arrival to the first byte for the client, both legs.", MetricBuckets.TimeToFirstToken).With();
        _endToEnd = Registry.Histogram("ferry_router_request_seconds", "From arrival to the last byte.", MetricBuckets.Request).With();
        _inFlight = Registry.Gauge("ferry_router_in_flight", "Requests in either leg.").With();
        _refused = Registry.Counter("ferry_router_refused_total", "Requests answered 429 because too many were in flight.").With();
    }

    public MetricRegistry Registry { get; } = new();

    public void RequestDone(string path, int status, TimeSpan elapsed)
    {
        _requests.With(path, status.ToString(System.Globalization.CultureInfo.InvariantCulture)).Add();
        _endToEnd.Observe(elapsed.TotalSeconds);
    }

    public void Handover() => _handovers.Add();

    public void DecodeOnly(string reason) => _decodeOnly.With(reason).Add();

    public void NodeFailed(Node node) => _nodeFailures.With(node.Name, node.Role == NodeRole.Prefill ? "prefill" : "decode").Add();

    public void PrefillDone(TimeSpan elapsed) => _prefill.Observe(elapsed.TotalSeconds);

    public void FirstByte(TimeSpan elapsed) => _firstByte.Observe(elapsed.TotalSeconds);

    public void InFlight(int change) => _inFlight.Add(change);

    public void Refused() => _refused.Add();
}
