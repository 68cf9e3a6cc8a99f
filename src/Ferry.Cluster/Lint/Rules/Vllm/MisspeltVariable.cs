using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A VLLM_ variable that vLLM does not read.</summary>
internal sealed class MisspeltVariable : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM012",
        Severity = LintSeverity.Warning,
        Title = "A VLLM_ variable that vLLM does not read",
        Why = "An unknown VLLM_ name is warned about by newer versions and ignored by all.",
        Symptom = "`WARNING … Unknown vLLM environment variable detected: …`.",
        Fix = "Write the name as vLLM has it.",
        Versions = "every version",
        Sources = ["vLLM vllm/envs.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDECHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in cluster.Processes.SelectMany(process => process.Environment.StartingWith("VLLM_")))
        {
            if (VllmVariables.Meant(setting.Name.Value) is not { } meant) { continue; }
            findings.Report(Info, setting.Name.Span, $"vLLM reads no {setting.Name.Value}, so it has no effect. Write {meant}.", Edits.Replace(setting.Name, meant));
        }
    }
}
