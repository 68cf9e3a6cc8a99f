using System.Collections.Concurrent;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Clients;

/// <summary>What clients asked for and got, by model and tenant. One for each registry.</summary>
public sealed class ClientMetrics
{
    /// <summary>Models times salts with counters of their own; what comes after them is counted together, so that hostile keys cannot fill the memory.</summary>
    private const int TenantsMax = 64;

    private const string None = "none"; // Of a key that names no model, and of one that names no tenant.
    private const string Other = "other";
    private readonly ConcurrentDictionary<(string Model, string Salt), ClientTenantCounts> _tenants = new();
    private readonly ClientTenantCounts _others;
    private ClientTenantCounts? _nameless;

    public ClientMetrics(MetricRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        Requests = registry.Counter("ferry_client_requests_total", "Requests of clients, by what became of them.", "model", "salt", "operation", "outcome");
        ValueBytes = registry.Counter("ferry_client_value_bytes_total", "Bytes of values stored (in) and delivered (out).", "model", "salt", "direction");
        Tokens = registry.Counter("ferry_client_tokens_total", "Tokens of shards asked for and delivered, each rank counted; only where a model card says how many.", "model", "salt", "kind");
        ConvertedBytes = registry.Counter("ferry_client_converted_bytes_total", "Bytes delivered that were made from other shards.", "model");
        WouldConvert = registry.Counter("ferry_client_would_convert_total", "Misses, of EXISTS too, that clients.convert: on would have served.", "model");
        Contradictions = registry.Counter("ferry_client_contradictions_total", "Values that contradict their model card and were kept as bytes.", "model");
        PairsDropped = registry.Counter("ferry_client_pairs_dropped_total", "Halves of pairs given up, by reason.", "reason");
        PendingBytes = registry.Gauge("ferry_client_pending_bytes", "Bytes of values whose metadata has not come yet.");
        PendingHalves = registry.Gauge("ferry_client_pending_halves", "Halves of pairs that wait for the other.");
        _others = new ClientTenantCounts(this, Other, Other);
    }

    internal MetricFamily Requests { get; }

    internal MetricFamily ValueBytes { get; }

    internal MetricFamily Tokens { get; }

    internal MetricFamily ConvertedBytes { get; }

    internal MetricFamily WouldConvert { get; }

    internal MetricFamily Contradictions { get; }

    internal MetricFamily PairsDropped { get; }

    internal MetricFamily PendingBytes { get; }

    internal MetricFamily PendingHalves { get; }

    /// <summary>The sums over all models and tenants.</summary>
    public ClientTotals Totals()
    {
        var totals = default(ClientTotals);
        foreach (var counts in _tenants.Values.Append(_others))
        {
            var hits = counts.Hits.Value + counts.Converted.Value;
            totals = new ClientTotals(
                totals.Gets + hits + counts.Misses.Value, totals.Hits + hits,
                totals.Puts + counts.Put(ClientPutOutcome.Ready).Value + counts.Put(ClientPutOutcome.Present).Value,
                totals.TokensRequested + counts.TokensRequested.Value, totals.TokensHit + counts.TokensHit.Value);
        }
        return totals;
    }

    /// <summary>The counters of the key's model and tenant.</summary>
    internal ClientTenantCounts Of(ShardKey? shard)
    {
        return shard is null ? _nameless ??= Of(None, None) : Of(shard.Model, shard.Salt.Length == 0 ? None : shard.Salt);
    }

    private ClientTenantCounts Of(string model, string salt)
    {
        var name = (model, salt);
        if (_tenants.TryGetValue(name, out var counts))
        {
            return counts;
        }
        return _tenants.Count >= TenantsMax ? _others : _tenants.GetOrAdd(name, static (key, metrics) => new ClientTenantCounts(metrics, key.Model, key.Salt), this);
    }
}
