using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides accept prompts of different length.</summary>
internal sealed class MaxModelLen : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR011",
        Severity = LintSeverity.Warning,
        Title = "The two sides accept prompts of different length",
        Why = "A prompt that the prefill node takes and the decode node refuses has been computed for nothing, and its blocks stay leased; the " +
            "other way round the decode node computes it alone.",
        Symptom = "HTTP 400 from the decode node after a successful prefill.",
        Fix = "Use the same --max-model-len.",
        Versions = "every version",
        Sources = ["vLLM #41269"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 16384 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Flag("--max-model-len");
        var decode = pair.Decode.Arguments.Flag("--max-model-len");
        if ((prefill is null && decode is null) || pair.Prefill.MaxModelLength() == pair.Decode.MaxModelLength()) { return false; }
        if (prefill?.Value is { HasUnknown: true } || decode?.Value is { HasUnknown: true }) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"{pair.Decode.Label()} accepts {Text(decode)}, {pair.Prefill.Label()} {Text(prefill)}. Pass the same --max-model-len to both.");
        return true;
    }

    private static string Text(ArgumentFlag? flag) => flag?.Value is { } value ? $"{value.Value} tokens" : "what the model allows";
}
