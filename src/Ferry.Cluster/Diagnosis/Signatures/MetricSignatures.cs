using System.Globalization;

namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What the metrics of vLLM, LMCache and Ferry show. Each judges one page; counters count since the process started.</summary>
internal static class MetricSignatures
{
    private const string PromptTokensBySource = "vllm:prompt_tokens_by_source_total";

    /// <summary>Fewer prompts than this prove nothing.</summary>
    private const int PromptsMin = 20;

    private static readonly EvidenceNeed NodeLog = new("the node's log", "docker logs --timestamps NODE 2>&1 | ferry diagnose -", "vLLM");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-METRIC-01",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "KV transfers failed",
            Metric = page => Counted(page, "vllm:nixl_num_failed_transfers_total", "vllm:nixl_num_failed_notifications_total"),
            Cause = "NIXL could not move KV, or could not tell the other side that it had. Since when, and why, only the log says.",
            Fix = "Look for 'NIXL transfer failure' and UCX errors in this node's log.",
            Sources = ["vllm-project/vllm nixl/stats.py"],
            Needs = [NodeLog],
            CausedBy = ["DIAG-NIXL-01", "DIAG-NIXL-04", "DIAG-NIXL-13", "DIAG-UCX-11"],
        },
        new()
        {
            Id = "DIAG-METRIC-02",
            Component = "vLLM",
            Severity = SignatureSeverity.Silent,
            Title = "KV expired on the prefill node; whoever read it later read something else",
            Metric = page => Counted(page, "vllm:nixl_num_kv_expired_reqs_total"),
            Cause = "Leases ran out before the decode node had read. A read that comes after is answered with whatever lies there, and HTTP 200.",
            Fix = "Raise kv_lease_duration on the prefill node; shorten the decode node's queue.",
            LintRules = ["FERRY-KVT010"],
            Sources = ["vllm-project/vllm nixl/stats.py", "aws-samples/aws-do-eks#84"],
            Needs = [new("whether a late read happened", "docker logs PREFILL 2>&1 | grep 'Potentially invalid KV blocks'", "DIAG-NIXL-08")],
        },
        new()
        {
            Id = "DIAG-METRIC-03",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "A node with a connector took no KV from outside",
            Metric = NoKvFromOutside,
            Cause = "Lookups were made, or transfers configured, yet not one prompt token came from outside: keys that differ, a router that does not pass kv_transfer_params, a role that never loads.",
            Fix = "Check that requests reach this node through the router; PYTHONHASHSEED, model string and tensor-parallel size equal everywhere; kv_role kv_both or kv_consumer here.",
            LintRules = ["FERRY-PAIR016"],
            Sources = ["vllm-project/vllm v1/metrics", "kserve/kserve#5987", "LMCache/LMCache#2511"],
            Needs = [NodeLog, new("a request of which the way is known", "ferry verify -f ferry.yaml --only proof-of-transfer")],
            CausedBy = ["DIAG-LMC-01", "DIAG-LMC-02", "DIAG-LMC-04", "DIAG-VLLM-03", "DIAG-VLLM-04", "DIAG-METRIC-01"],
        },
        new()
        {
            Id = "DIAG-METRIC-04",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "KV moves at the pace of a TCP fallback",
            Metric = SlowTransfers,
            Cause = "Bytes over time of all transfers together are below 1 GB/s: RDMA is not in use.",
            Fix = "See DIAG-NIXL-15.",
            LintRules = ["FERRY-UCX006"],
            Sources = ["vllm-project/vllm#52607"],
            CausedBy = ["DIAG-RDMA-01", "DIAG-UCX-02", "DIAG-NIXL-15"],
        },
        new()
        {
            Id = "DIAG-METRIC-05",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "The KV cache is full and requests wait",
            Metric = page => page.Sum("vllm:kv_cache_usage_perc") >= 0.95 && page.Sum("vllm:num_requests_waiting") >= 1
                ? $"vllm:kv_cache_usage_perc {Number(page.Sum("vllm:kv_cache_usage_perc"))}, vllm:num_requests_waiting {Number(page.Sum("vllm:num_requests_waiting"))}, vllm:num_preemptions_total {Number(page.Sum("vllm:num_preemptions_total"))}"
                : null,
            Cause = "More or longer sequences than the KV cache holds. On a prefill node also KV that decode nodes have not fetched yet.",
            Fix = "More decode nodes, a shorter lease, a lower --max-num-seqs; `ferry plan` says what fits.",
            LintRules = ["FERRY-CAP002"],
            Sources = ["vllm-project/vllm v1/metrics"],
        },
        new()
        {
            Id = "DIAG-METRIC-06",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "Hand-overs were expected and missed",
            Metric = page => Counted(page, "ferry_kv_handover_missed_total", "ferry_kv_load_failures_total", "ferry_kv_refused_loads_total"),
            Cause = "Requests came with KV to fetch, and it was not there, not in time, or of a layout that does not convert. The label reason says which.",
            Fix = "Read this node's log for 'none moved' and 'did not happen'.",
            Sources = ["Ferry's metrics"],
            Needs = [new("the reasons", "curl -s http://NODE:PORT/metrics | grep ferry_kv_handover_missed"), new("the node's log", "docker logs NODE 2>&1 | ferry diagnose -", "Ferry")],
            CausedBy = ["DIAG-FERRY-05", "DIAG-FERRY-20", "DIAG-METRIC-07"],
        },
        new()
        {
            Id = "DIAG-METRIC-07",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "Leases ended before anybody read",
            Metric = page => Counted(page, "ferry_kv_leases_expired_total", "ferry_kv_nacks_total"),
            Cause = "The decode node queued longer than the lease or never got the request. Late reads were refused (ferry_kv_nacks_total), never answered with other bytes.",
            Fix = "Raise kv_lease_duration (handover.leaseSeconds), or shorten the decode node's queue.",
            LintRules = ["FERRY-KVT010"],
            Sources = ["Ferry's metrics"],
        },
        new()
        {
            Id = "DIAG-METRIC-08",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "A cache tier is switched off",
            Metric = page => Down(page, "ferry_cache_tier_up"),
            Cause = "The tier failed or was too slow and is left alone; requests go on without it.",
            Fix = "Mend the store behind it; the log names the error.",
            Sources = ["Ferry's metrics"],
            Needs = [new("the node's log", "docker logs NODE 2>&1 | ferry diagnose -", "Ferry")],
            CausedBy = ["DIAG-FERRY-11", "DIAG-S3-01", "DIAG-S3-02", "DIAG-REDIS-03", "DIAG-DISK-01"],
        },
        new()
        {
            Id = "DIAG-METRIC-09",
            Component = "Ferry router",
            Severity = SignatureSeverity.Failure,
            Title = "A node takes no work",
            Metric = page => Down(page, "ferry_router_node_up"),
            Cause = "The node is down, drains, or was left out since its legs fail.",
            Fix = "Read the router's log for ' is down:' and the node's own.",
            Sources = ["Ferry's metrics"],
            CausedBy = ["DIAG-FERRY-03", "DIAG-VLLM-13"],
        },
        new()
        {
            Id = "DIAG-METRIC-10",
            Component = "Ferry router",
            Severity = SignatureSeverity.Degraded,
            Title = "Prefill nodes answered without kv_transfer_params",
            Metric = page => Counted(page, "ferry_router_transfer_missing_total", "ferry_router_transfer_failures_total"),
            Cause = "The prefill leg succeeded and brought nothing to hand over (the engine has no connector), or the transfer failed afterwards: every such prompt was computed twice.",
            Fix = "Start the prefill engines with a connector; for failures see the pair in the label.",
            Sources = ["Ferry's metrics", "kserve/kserve#5987"],
            CausedBy = ["DIAG-VLLM-03", "DIAG-FERRY-10"],
        },
        new()
        {
            Id = "DIAG-METRIC-11",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "Damaged KV was found and dropped",
            Metric = page => Counted(page, "ferry_kv_checksum_failures_total"),
            Cause = "Bytes changed in memory, on disk or on the way; the checksum caught it.",
            Fix = "Repeatedly: check memory, disk and network of this node.",
            Sources = ["Ferry's metrics"],
            CausedBy = ["DIAG-FERRY-12"],
        },
        new()
        {
            Id = "DIAG-METRIC-12",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "KV got no room, or its tier could not keep up",
            Metric = page =>
            {
                string?[] found =
                [
                    Counted(page, "ferry_cache_memory_refused_total", "ferry_front_puts_refused_total"),
                    page.Sum("ferry_cache_tier_behind_total", ("result", "dropped")) is > 0 and var dropped ? $"ferry_cache_tier_behind_total{{result=\"dropped\"}} {Number(dropped)}" : null,
                ];
                return found.Any(one => one is not null) ? string.Join(", ", found.Where(one => one is not null)) : null;
            },
            Cause = "The memory is full of leased records, or a tier takes records more slowly than they are made.",
            Fix = "Raise the cache's memory; a faster store.",
            Sources = ["Ferry's metrics"],
            CausedBy = ["DIAG-FERRY-13", "DIAG-FERRY-14"],
        },
        new()
        {
            Id = "DIAG-METRIC-13",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "LMCache looked up and never found",
            Metric = page => page.Sum("lmcache:num_requested_tokens_total") + page.Sum("lmcache:num_requested_tokens") is >= 10_000 and var asked
                && page.Sum("lmcache:num_hit_tokens_total") + page.Sum("lmcache:num_hit_tokens") == 0
                ? $"lmcache:num_requested_tokens {Number(asked)}, lmcache:num_hit_tokens 0"
                : null,
            Cause = "Nothing is stored, or under other keys: hash seed, model string, tensor-parallel size, dtype or chunk size differ.",
            Fix = "PYTHONHASHSEED=0 everywhere, kv_role kv_both; `ferry keys --explain KEY` on a stored key.",
            LintRules = ["FERRY-LMC029", "FERRY-LMC030", "FERRY-LMC041"],
            Sources = ["LMCache/LMCache observability", "LMCache/LMCache#1095"],
            CausedBy = ["DIAG-LMC-01", "DIAG-LMC-02", "DIAG-LMC-04"],
        },
    ];

    /// <summary>The counters above 0, with their labels.</summary>
    private static string? Counted(MetricPage page, params ReadOnlySpan<string> names)
    {
        var found = new List<string>();
        foreach (var name in names)
        {
            found.AddRange(page.Samples(name).Where(sample => sample.Value > 0).Take(8).Select(sample => $"{name}{Labels(sample)} {Number(sample.Value)}"));
        }
        return found.Count > 0 ? string.Join(", ", found) : null;
    }

    private static string? Down(MetricPage page, string name)
    {
        string[] down = [.. page.Samples(name).Where(sample => sample.Value == 0).Take(8).Select(sample => $"{name}{Labels(sample)} 0")];
        return down.Length > 0 ? string.Join(", ", down) : null;
    }

    private static string? NoKvFromOutside(MetricPage page)
    {
        var asked = page.Sum("vllm:external_prefix_cache_queries_total");
        var isConnected = asked > 0 || page.Has("vllm:nixl_xfer_time_seconds_count");
        var loaded = page.Sum("vllm:external_prefix_cache_hits_total") + page.Sum(PromptTokensBySource, ("source", "external_kv_transfer")) + page.Sum("vllm:nixl_xfer_time_seconds_count");
        var requests = page.Sum("vllm:request_success_total");
        return isConnected && loaded == 0 && requests >= PromptsMin && !page.Has("ferry_kv_tokens_loaded_total")
            ? $"vllm:request_success_total {Number(requests)}, vllm:external_prefix_cache_queries_total {Number(asked)}, nothing loaded"
            : null;
    }

    private static string? SlowTransfers(MetricPage page)
    {
        const double BytesMin = 1e9, BytesPerSecondMin = 1e9;
        var (bytes, seconds) = (page.Sum("vllm:nixl_bytes_transferred_sum"), page.Sum("vllm:nixl_xfer_time_seconds_sum"));
        return bytes >= BytesMin && seconds > 0 && bytes / seconds < BytesPerSecondMin
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB in {seconds:0.0} s: {bytes / seconds / 1e9:0.00} GB/s")
            : null;
    }

    private static string Labels(MetricSample sample) => sample.Labels.Count == 0
        ? ""
        : Braced(string.Join(",", sample.Labels.Where(label => label.Key is not ("model_name" or "engine")).Select(label => $"{label.Key}=\"{label.Value}\"")));

    private static string Braced(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
