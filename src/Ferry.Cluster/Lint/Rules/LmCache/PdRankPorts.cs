using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdRankPorts : LmCacheRule
{
    private static readonly string[] Keys = ["pd_peer_init_port", "pd_peer_alloc_port", "pd_peer_query_port", "p2p_init_ports", "p2p_lookup_ports"];

    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC023",
        Severity = LintSeverity.Error,
        Title = "One port for each tensor-parallel rank is needed",
        Why = "Rank r listens at, and is called at, entry r of the list. With fewer entries the ranks behind fail; equal entries clash on one host.",
        Symptom = "`IndexError: list index out of range` in a worker at start, or `zmq.error.ZMQError: Address already in use`.",
        Fix = "List as many different ports as --tensor-parallel-size has ranks.",
        Versions = "LMCache with pd_… names (0.3.9 and later)",
        Sources = ["lmcache/v1/storage_backend/pd_backend.py", "LMCache issue #1142"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode -e LMCACHE_PD_PEER_INIT_PORT=7300,7301 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct -tp 2 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode -e LMCACHE_PD_PEER_INIT_PORT=7300 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct -tp 2 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.IsFragment || process.TensorParallel is not { } ranks) { return; }
        foreach (var key in Keys)
        {
            if (process.LmCache.Find(key) is not { } setting || setting.Value.HasUnknown) { continue; }
            var ports = setting.Value.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (ports.Length < ranks)
            {
                findings.Report(Info, setting.Value.Span, $"{setting.Name.Value} lists {ports.Length} port{(ports.Length == 1 ? "" : "s")} for {ranks} ranks.");
            }
            else if (ports.Distinct().Count() != ports.Length)
            {
                findings.Report(Info, setting.Value.Span, $"{setting.Name.Value} lists a port twice; each rank needs its own.");
            }
        }
    }
}
