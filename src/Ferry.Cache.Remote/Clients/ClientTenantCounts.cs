using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Clients;

/// <summary>The counters of one model and tenant, looked up once: the names of a series cost more than a small request.</summary>
internal sealed class ClientTenantCounts(ClientMetrics metrics, string model, string salt)
{
    private readonly MetricSeries[] _puts = [.. Enum.GetValues<ClientPutOutcome>().Select(outcome => metrics.Requests.With(model, salt, "put", outcome switch
    {
        ClientPutOutcome.Ready => "accepted",
        ClientPutOutcome.Present => "present",
        ClientPutOutcome.BadKey => "bad_key",
        ClientPutOutcome.TooLarge => "too_large",
        ClientPutOutcome.Full => "full",
        ClientPutOutcome.OverQuota => "over_quota",
        _ => "wrong_length",
    }))];

    public MetricSeries Hits { get; } = metrics.Requests.With(model, salt, "get", "hit");

    public MetricSeries Converted { get; } = metrics.Requests.With(model, salt, "get", "converted");

    public MetricSeries Misses { get; } = metrics.Requests.With(model, salt, "get", "miss");

    public MetricSeries Found { get; } = metrics.Requests.With(model, salt, "exists", "hit");

    public MetricSeries NotFound { get; } = metrics.Requests.With(model, salt, "exists", "miss");

    public MetricSeries Deletes { get; } = metrics.Requests.With(model, salt, "delete", "done");

    public MetricSeries BytesIn { get; } = metrics.ValueBytes.With(model, salt, "in");

    public MetricSeries BytesOut { get; } = metrics.ValueBytes.With(model, salt, "out");

    public MetricSeries TokensRequested { get; } = metrics.Tokens.With(model, salt, "requested");

    public MetricSeries TokensHit { get; } = metrics.Tokens.With(model, salt, "hit");

    public MetricSeries ConvertedBytes { get; } = metrics.ConvertedBytes.With(model);

    public MetricSeries WouldConvert { get; } = metrics.WouldConvert.With(model);

    public MetricSeries Contradictions { get; } = metrics.Contradictions.With(model);

    public MetricSeries Put(ClientPutOutcome outcome) => _puts[(int)outcome];
}
