using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>--kv-transfer-config is not valid JSON.</summary>
internal sealed class TransferConfigJson : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT001",
        Severity = LintSeverity.Error,
        Title = "--kv-transfer-config is not valid JSON",
        Why = "vLLM parses the value as JSON before anything else. Single quotes, trailing commas, True instead of true and a shell that ate " +
            "the quotes all end here.",
        Symptom = "`vllm serve: error: argument --kv-transfer-config: Value … cannot be converted to <function loads …>`.",
        Fix = "Correct the character at the position named; put the whole value in single quotes for the shell and use double quotes inside.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/kv_transfer.py", "vLLM vllm/engine/arg_utils.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer",}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer is not { Error: { } error, Flag.Value.HasUnknown: not true }) { return; }
        findings.Report(Info, error.Span, $"--kv-transfer-config of {engine.Name} is not JSON: {error.Message}.");
    }
}
