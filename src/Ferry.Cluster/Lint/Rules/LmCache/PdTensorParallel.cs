using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdTensorParallel : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC024",
        Severity = LintSeverity.Error,
        Title = "LMCache's prefill-decode mode needs the same tensor parallelism on both sides",
        Why = "Sender rank r writes to receiver rank r, and keys carry the world size and the rank: nothing cuts or joins the heads.",
        Symptom = "`IndexError` in the sender, or a hang; with a store between, no hits.",
        Fix = "Give both sides the same --tensor-parallel-size, or hand over through Ferry's exchange, which re-shards.",
        Versions = "LMCache 0.3 and 0.4",
        Sources = ["lmcache/v1/storage_backend/pd_backend.py", "LMCache issue #1142, pull request #1629"],
        GoodExample = RuleExample.Shell(Both(2)),
        BadExample = RuleExample.Shell(Both(4)),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var (prefill, decode) in cluster.Pairs.Select(pair => (pair.Prefill, pair.Decode)))
        {
            if (!LmCacheFacts.IsPd(prefill) || !LmCacheFacts.IsPd(decode) || prefill.TensorParallel is not { } left || decode.TensorParallel is not { } right || left == right) { continue; }
            var flag = decode.Arguments.Flag("--tensor-parallel-size", "-tp");
            findings.Report(Info, flag?.Span ?? decode.HeadSpan, $"{decode.Name} has {right} ranks, its prefill peer {prefill.Name} has {left}; LMCache pairs rank with rank.");
        }
    }

    private static string Both(int decodeRanks) => $$"""
        docker run -d --name prefill -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=sender vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct -tp 2 \
          --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_producer"}'
        docker run -d --name decode -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=receiver vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct -tp {{decodeRanks}} \
          --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
        """;
}
