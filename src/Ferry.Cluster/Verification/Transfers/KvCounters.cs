using Ferry.Cluster.Diagnosis;

namespace Ferry.Cluster.Verification.Transfers;

/// <summary>What the counters of one process say about KV, as of one moment. Differences of two such moments prove a transfer.</summary>
/// <param name="Requests">Finished.</param>
/// <param name="PromptTokens">Of prompts, wherever their KV came from.</param>
/// <param name="Taken">Tokens whose KV an engine took from outside itself.</param>
/// <param name="TakenBytes">Bytes of KV that came in.</param>
/// <param name="GivenBytes">Bytes of KV that an engine or an exchange gave away, or stored for others.</param>
/// <param name="Failures">Transfers that failed, leases that ran out, damaged records.</param>
internal sealed record KvCounters(double Requests, double PromptTokens, double Taken, double TakenBytes, double GivenBytes, double Failures)
{
    private static readonly string[] FailureNames =
    [
        "vllm:nixl_num_failed_transfers_total", "vllm:nixl_num_kv_expired_reqs_total", "ferry_kv_handover_missed_total", "ferry_kv_load_failures_total",
        "ferry_kv_leases_expired_total", "ferry_kv_nacks_total", "ferry_kv_checksum_failures_total",
    ];

    /// <summary>Whether the page has any counter of a transfer at all.</summary>
    public bool CanTell { get; private init; }

    public static KvCounters Of(MetricPage page)
    {
        // An engine counts one and the same token in several families: the largest is taken, not the sum.
        double[] taken =
        [
            page.Sum("ferry_kv_tokens_loaded_total"),
            page.Sum("vllm:prompt_tokens_by_source_total", ("source", "external_kv_transfer")),
            page.Sum("vllm:external_prefix_cache_hits_total"),
            page.Sum("lmcache:num_hit_tokens_total"),
        ];
        string[] telling = ["ferry_kv_tokens_loaded_total", "vllm:prompt_tokens_by_source_total", "vllm:external_prefix_cache_hits_total", "vllm:nixl_bytes_transferred_sum", "ferry_kv_bytes_moved_total", "ferry_front_received_bytes_total"];
        return new KvCounters(
            page.Sum("vllm:request_success_total"),
            page.Sum("vllm:prompt_tokens_total"),
            taken.Max(),
            Math.Max(page.Sum("ferry_kv_bytes_moved_total"), page.Sum("vllm:nixl_bytes_transferred_sum")),
            Math.Max(page.Sum("ferry_kv_bytes_served_total"), page.Sum("ferry_front_received_bytes_total")),
            FailureNames.Sum(name => page.Sum(name)))
        {
            CanTell = telling.Any(page.Has),
        };
    }

    public KvCounters Since(KvCounters before) => new(
        Requests - before.Requests, PromptTokens - before.PromptTokens, Taken - before.Taken, TakenBytes - before.TakenBytes, GivenBytes - before.GivenBytes, Failures - before.Failures)
    {
        CanTell = CanTell || before.CanTell,
    };
}
