using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class Fp8AcrossVendors : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC043",
        Severity = LintSeverity.Error,
        Title = "fp8 KV shared between MI300X and Gaudi through LMCache is never found",
        Why = "MI300X keeps fp8 as e4m3fnuz, Gaudi as e4m3fn. LMCache's keys name the dtype (fp8_e4m3fnuz, fp8_e4m3fn), so neither side finds the other's entries; and lm:// and redis:// have no code for fnuz at all.",
        Symptom = "0 hits across the vendors; `KeyError: torch.float8_e4m3fnuz` in the remote connector on MI300X.",
        Fix = "Keep the shared KV in bfloat16 (--kv-cache-dtype auto), or share through Ferry's exchange, which converts fnuz to fn.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/utils.py, TORCH_DTYPE_TO_STR_DTYPE", "lmcache/v1/protocol.py, dtype codes"],
        GoodExample = RuleExample.Shell(Two("auto")),
        BadExample = RuleExample.Shell(Two("fp8")),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Groups)
        {
            ObservedProcess[] sharing = [.. cluster.InGroup(group).Where(process => process.IsEngine && process.LmCache.Any && LmCacheFacts.IsShared(process) && IsFp8(process))];
            var rocm = sharing.FirstOrDefault(process => process.Accelerator.Kind == AcceleratorKind.Rocm && process.Accelerator.Product is null or "mi300x" or "mi300a");
            var gaudi = sharing.FirstOrDefault(process => process.Accelerator.Kind == AcceleratorKind.Gaudi);
            if (rocm is null || gaudi is null) { continue; }
            foreach (var process in new[] { rocm, gaudi })
            {
                findings.Report(Info, process.Arguments.Flag("--kv-cache-dtype")!.Span,
                    $"{rocm.Name} would store fp8_e4m3fnuz and {gaudi.Name} fp8_e4m3fn, under different keys.");
            }
        }
    }

    private static bool IsFp8(ObservedProcess process) => process.Arguments.Value("--kv-cache-dtype")?.Value.StartsWith("fp8", StringComparison.Ordinal) is true;

    private static string Two(string dtype) => $$"""
        docker run -d --name prefill --device=/dev/kfd -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 rocm/vllm:latest vllm serve meta-llama/Llama-3.1-8B-Instruct \
          --kv-cache-dtype {{dtype}} --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
        docker run -d --name decode --runtime=habana -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 vllm-gaudi:latest vllm serve meta-llama/Llama-3.1-8B-Instruct \
          --kv-cache-dtype {{(dtype == "fp8" ? "fp8_inc" : dtype)}} --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
        """;
}
