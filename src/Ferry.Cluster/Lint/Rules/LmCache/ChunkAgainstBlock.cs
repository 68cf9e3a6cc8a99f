using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ChunkAgainstBlock : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC028",
        Severity = LintSeverity.Error,
        Title = "The chunk is no multiple of the engine's block",
        Why = "LMCache gathers whole blocks of the engine into a chunk. A chunk that ends inside a block cannot be loaded as a prefix of blocks; the MP daemon asserts it. Gaudi's block is 128 tokens, vLLM's default elsewhere 16.",
        Symptom = "`AssertionError` when the connector starts, or hits that are cut to fewer tokens than were stored.",
        Fix = "Make chunk_size a multiple of every engine's --block-size: 256 serves 16, 32, 64 and 128.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config.py, chunk_size", "vLLM --block-size"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e LMCACHE_CHUNK_SIZE=256 vllm-gaudi:latest vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e LMCACHE_CHUNK_SIZE=64 vllm-gaudi:latest vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("chunk_size") is not { } setting || setting.Value.TryLong() is not { } chunk) { return; }
        if (chunk <= 0)
        {
            findings.Report(Info, setting.Value.Span, $"{setting.Name.Value} is {chunk}; it must be above 0.");
            return;
        }
        var flag = process.Arguments.Flag("--block-size");
        var block = flag?.Value is { } given ? given.TryLong() : process.Accelerator.Kind == AcceleratorKind.Gaudi ? 128 : 16;
        if (block is not > 0 || chunk % block == 0) { return; }
        var from = flag is null ? $"{process.Accelerator.Name}'s default" : $"line {flag.Span.Line}";
        findings.Report(Info, setting.Value.Span, $"{setting.Name.Value} is {chunk} tokens, no multiple of the engine's block of {block} ({from}).");
    }
}
