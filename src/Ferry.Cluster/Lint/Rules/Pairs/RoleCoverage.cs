using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>One half of a disaggregated cluster is missing.</summary>
internal sealed class RoleCoverage : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR017",
        Severity = LintSeverity.Warning,
        Title = "One half of a disaggregated cluster is missing",
        Why = "A producer without a consumer (or the reverse) hands KV to nobody. Either the other node's file was not given, or both were " +
            "given the same role.",
        Symptom = "Prefill-only answers, or a decode node that computes every prompt itself.",
        Fix = "Give lint the other node's file too, or correct kv_role.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Engines.Where(engine => engine.KvTransfer?.Role is { HasUnknown: false }).GroupBy(engine => engine.Group))
        {
            ObservedProcess[] engines = [.. group];
            var gives = engines.Any(engine => engine.KvTransfer!.Role!.Value is "kv_producer" or "kv_both");
            var takes = engines.Any(engine => engine.KvTransfer!.Role!.Value is "kv_consumer" or "kv_both");
            if (gives == takes) { continue; }
            var (has, lacks) = gives ? ("kv_producer", "kv_consumer") : ("kv_consumer", "kv_producer");
            var isAlone = engines.Length == 1;
            findings.Report(Info, isAlone ? LintSeverity.Info : LintSeverity.Warning, engines[^1].KvTransfer!.Role!.Span, isAlone
                ? $"{engines[0].Name} is {has} and no {lacks} is among the files, so the pair was not checked. Give lint the other node's file too."
                : $"all {engines.Length} engines are {has} and none is {lacks}: {(gives ? "KV is given and never taken" : "KV is awaited and never given")}. Correct kv_role, or give lint the missing node's file.");
        }
    }
}
