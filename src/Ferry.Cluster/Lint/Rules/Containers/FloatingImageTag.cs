using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>The image's version is not pinned.</summary>
internal sealed class FloatingImageTag : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR011",
        Severity = LintSeverity.Warning,
        Title = "The image's version is not pinned",
        Why = "latest (or no tag) is whatever was pulled last. vLLM's version is part of NIXL's handshake and KV packing changed between " +
            "releases, so a pull on one node breaks the pair.",
        Symptom = "`NIXL compatibility hash mismatch` after a restart.",
        Fix = "Write a version tag or a digest, the same vLLM version on both nodes.",
        Versions = "every version",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:latest vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Container?.Image is not { HasUnknown: false } image || image.Value.Contains('@', StringComparison.Ordinal)) { continue; }
            var name = image.Value[(image.Value.LastIndexOf('/') + 1)..];
            var colon = name.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0 && name[(colon + 1)..] is not ("latest" or "")) { continue; }
            findings.Report(Info, image.Span, $"{image.Value} {(colon < 0 ? "has no tag, which means latest" : "is whatever was pulled last")}. Write a version or a digest.");
        }
    }
}
