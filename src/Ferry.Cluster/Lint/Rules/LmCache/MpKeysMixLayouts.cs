using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class MpKeysMixLayouts : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC042",
        Severity = LintSeverity.Error,
        Title = "Engines of different dtype or vendor share a store whose keys name neither",
        Why = "The keys of LMCache's MP mode hold model, rank and chunk hash, not dtype, layout or serde. Two engines that store different bytes under one key read each other's; only a difference in size is noticed.",
        Symptom = "Fluent wrong answers on one side, HTTP 200.",
        Fix = "Give each dtype and vendor its own store or cache_salt, or share through Ferry's exchange, whose records say what they are.",
        Versions = "LMCache MP mode (LMCacheMPConnector) of 2026",
        Sources = ["lmcache/v1/distributed/api.py, ObjectKey", "LMCache issues #4463, #4247"],
        GoodExample = RuleExample.Shell(Two("bfloat16", "bfloat16", "")),
        BadExample = RuleExample.Shell(Two("auto", "fp8", "")),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Groups)
        {
            ObservedProcess[] engines = [.. cluster.InGroup(group).Where(process => process.KvTransfer?.FindConnector(name => name == "LMCacheMPConnector") is not null)];
            foreach (var process in engines.Skip(1))
            {
                var left = Dtype(engines[0]);
                var right = Dtype(process);
                if (left != right)
                {
                    findings.Report(Info, process.Arguments.Flag("--kv-cache-dtype")?.Span ?? process.HeadSpan,
                        $"{process.Name} stores KV as {right}, {engines[0].Name} as {left}; the MP keys do not tell them apart.");
                }
                else if (engines[0].Accelerator.Kind != process.Accelerator.Kind && engines[0].Accelerator.Kind != AcceleratorKind.Unknown && process.Accelerator.Kind != AcceleratorKind.Unknown)
                {
                    findings.Report(Info, LintSeverity.Warning, process.KvTransfer!.Connector?.Span ?? process.HeadSpan,
                        $"{process.Name} runs on {process.Accelerator.Name}, {engines[0].Name} on {engines[0].Accelerator.Name}; their layouts may differ, and the MP keys do not tell them apart.");
                }
            }
        }
    }

    private static string Dtype(ObservedProcess process) => process.Arguments.Value("--kv-cache-dtype")?.Value is { } dtype && dtype != "auto" ? dtype
        : process.Arguments.Value("--dtype")?.Value is { } model && model != "auto" ? model : "auto";

    private static string Two(string first, string second, string extra) => $$"""
        docker run -d --name prefill {{extra}}vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype {{first}} \
          --kv-transfer-config '{"kv_connector":"LMCacheMPConnector","kv_role":"kv_both"}'
        docker run -d --name decode {{extra}}vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype {{second}} \
          --kv-transfer-config '{"kv_connector":"LMCacheMPConnector","kv_role":"kv_both"}'
        """;
}
