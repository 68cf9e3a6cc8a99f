using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class SerdeNeedsCuda : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC044",
        Severity = LintSeverity.Error,
        Title = "This serde needs CUDA",
        Why = "cachegen compresses with CUDA kernels, and its bit stream depends on the order of float operations: on another vendor it does not load, or does not decode to the same values. kivi is no more than a sketch.",
        Symptom = "`ImportError` of lmcache.c_ops, or wrong answers when another vendor decodes.",
        Fix = "Use remote_serde naive, which every vendor reads.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/storage_backend/serde/cachegen_encoder.py"],
        GoodExample = RuleExample.Shell("docker run -d --name prefill --device=/dev/kfd -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_SERDE=naive rocm/vllm:latest vllm serve meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name prefill --device=/dev/kfd -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_SERDE=cachegen rocm/vllm:latest vllm serve meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("remote_serde") is not { } serde || serde.Value.Value.Trim() is not ("cachegen" or "kivi")) { return; }
        var other = process.Accelerator.IsKnownNotCuda ? process
            : cluster.InGroup(process.Group).FirstOrDefault(peer => peer.IsEngine && peer.Accelerator.IsKnownNotCuda && LmCacheFacts.IsShared(peer));
        if (other is not null)
        {
            findings.Report(Info, serde.Value.Span, $"{serde.Name.Value} is {serde.Value.Value}, which needs CUDA; {other.Name} runs on {other.Accelerator.Name}.",
                serde.Value.TryExact() is { } exact ? [new Sources.TextEdit(exact, "naive")] : []);
        }
    }
}
