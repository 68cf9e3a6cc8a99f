using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class SetButNeverLoaded : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC001",
        Severity = LintSeverity.Error,
        Title = "LMCache is configured but never loaded",
        Why = "vLLM enters LMCache's code only through its connectors: LMCacheConnectorV1 reads LMCACHE_… variables and the YAML; LMCacheMPConnector talks to a daemon. " +
            "NixlConnector holds no reference to LMCache, so with it alone every LMCACHE_… variable, the CPU, disk and S3 tiers and the PD role are inert. NIXL inside LMCache and vLLM's NixlConnector are two transports of which one is used.",
        Symptom = "No log line begins with `LMCache INFO`, no file appears in the disk directory, the bucket stays empty; and no error says why.",
        Fix = "Choose: LMCacheConnectorV1 (kv_role kv_both) for tiers that nodes share; or MultiConnector with NixlConnector and LMCacheConnectorV1 for hand-over by NIXL and reuse by LMCache; or remove the LMCACHE_… settings.",
        Versions = "vLLM with NixlConnector, all versions; LMCache, all versions",
        Sources = ["vllm/distributed/kv_transfer/kv_connector/v1/nixl (no mention of lmcache)", "vLLM issue #20609", "vllm/distributed/kv_transfer/kv_connector/v1/lmcache_connector.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill -e PYTHONHASHSEED=0 -e LMCACHE_LOCAL_CPU=True -e LMCACHE_MAX_LOCAL_CPU_SIZE=20 \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill -e PYTHONHASHSEED=0 -e LMCACHE_LOCAL_CPU=True -e LMCACHE_MAX_LOCAL_CPU_SIZE=20 \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.Kind != ProcessKind.VllmServe || process.KvTransfer is { Json: null } || process.KvTransfer?.LmCache is not null) { return; }
        if (process.Arguments.Value("--kv-offloading-backend")?.Value == "lmcache") { return; }
        var settings = process.LmCache.All;
        var names = string.Join(", ", settings.Take(4).Select(setting => $"{setting.Name.Value} (line {setting.Span.Line})"));
        var rest = settings.Count > 4 ? $" and {settings.Count - 4} more" : "";
        var connector = process.KvTransfer?.Connector;
        var span = connector is { Span.Length: > 0 } ? connector.Span : settings[0].Span;
        findings.Report(Info, span, connector is null
            ? $"{names}{rest} do nothing: this vLLM has no --kv-transfer-config that names an LMCache connector."
            : $"The connector is {connector.Value}, which never loads LMCache: {names}{rest} do nothing. Use LMCacheConnectorV1, or MultiConnector with both.");
    }
}
