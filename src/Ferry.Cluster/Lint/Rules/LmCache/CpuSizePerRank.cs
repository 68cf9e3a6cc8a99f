using Ferry.Cluster.Observed;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class CpuSizePerRank : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC010",
        Severity = LintSeverity.Warning,
        Title = "The CPU cache size counts for each tensor-parallel rank",
        Why = "LMCache runs once in every worker process, and each pins max_local_cpu_size GiB of host memory at start. With 4 ranks a \"20 GB\" cache is 80 GiB of pinned RAM.",
        Symptom = "The node runs out of memory at start (`CUDA error: out of memory` or `hipErrorOutOfMemory` from host registration, or the OOM killer), though the sum on paper fits.",
        Fix = "Divide the memory that the node should give by the number of ranks, and say so in a comment: then the note goes.",
        Versions = "LMCache in vLLM's process (LMCacheConnectorV1), all versions",
        Sources = ["lmcache/v1/storage_backend/local_cpu_backend.py (one pool in each worker)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --memory 256g -e LMCACHE_MAX_LOCAL_CPU_SIZE=20 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --memory 64g -e LMCACHE_MAX_LOCAL_CPU_SIZE=20 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-70B-Instruct \
              --tensor-parallel-size 4 --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("max_local_cpu_size") is not { } setting || setting.Value.TryDouble() is not { } size || size <= 0) { return; }
        var ranks = process.TensorParallel ?? 1;
        var total = size * ranks;
        if (process.Container?.MemoryLimit is { HasUnknown: false } limit && MemoryText.TryBytes(limit.Value) is { } bytes)
        {
            var gib = bytes / (double)(1L << 30);
            if (total > gib)
            {
                findings.Report(Info, LintSeverity.Error, setting.Span,
                    $"{setting.Name.Value} is {size:0.##} GiB for each of {ranks} ranks, {total:0.##} GiB in all; the container may use {ByteSize.Format(bytes)} (line {limit.Span.Line}). " +
                    $"At most {Math.Floor(gib / ranks):0} leaves nothing for the engine itself.");
                return;
            }
        }
        if (ranks > 1 && !IsKnown(process, setting))
        {
            findings.Report(Info, LintSeverity.Info, setting.Span, $"{setting.Name.Value} is {size:0.##} GiB for each of {ranks} ranks: {total:0.##} GiB of pinned host memory on this node.");
        }
    }

    /// <summary>The file says itself that the size is a rank's, in a comment at the setting or one above that names it; or the size was made of a node's in ferry.yaml.</summary>
    private static bool IsKnown(ObservedProcess process, LmCacheSetting setting)
    {
        var (file, last) = (setting.Span.File, setting.Span.Line);
        if (process.Environment.Find(setting.Name.Value)?.Origin == EnvironmentOrigin.FerryYaml && !Line(last).Contains(setting.Name.Value, StringComparison.Ordinal)) { return true; }
        for (var line = last; line >= Math.Max(1, last - CommentLinesMax); line--)
        {
            var text = Line(line);
            if (text.IndexOf('#') is var at and >= 0 && text[at..].Contains("rank", StringComparison.OrdinalIgnoreCase) &&
                (line >= last - 1 || text[at..].Contains(setting.Name.Value, StringComparison.Ordinal)))
            {
                return true;
            }
        }
        return false;

        ReadOnlySpan<char> Line(int number)
        {
            var span = file.Line(number);
            return file.Text.AsSpan(span.Offset, span.Length);
        }
    }

    /// <summary>A script's comment on its variables stands before the command.</summary>
    private const int CommentLinesMax = 80;
}
