using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides quantise the model differently.</summary>
internal sealed class QuantizationPair : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR020",
        Severity = LintSeverity.Warning,
        Title = "The two sides quantise the model differently",
        Why = "KV computed by one set of weights is read by another. Static KV scales come from the checkpoint, so they differ as well.",
        Symptom = "Worse answers than either side gives alone.",
        Fix = "Use the same checkpoint and the same --quantization on both sides.",
        Versions = "every version",
        Sources = ["vLLM docs/features/nixl_connector_compatibility.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization fp8 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization fp8 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization fp8 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Flag("--quantization", "-q");
        var decode = pair.Decode.Arguments.Flag("--quantization", "-q");
        if (prefill?.Value?.Value == decode?.Value?.Value) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"{pair.Decode.Name} quantises by {decode?.Value?.Value ?? "the checkpoint's own way"}, {pair.Prefill.Name} by {prefill?.Value?.Value ?? "the checkpoint's own way"}. Use the same checkpoint and --quantization on both.");
        return true;
    }
}
