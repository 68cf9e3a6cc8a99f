using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides render chat prompts differently.</summary>
internal sealed class ChatTemplate : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR012",
        Severity = LintSeverity.Error,
        Title = "The two sides render chat prompts differently",
        Why = "Each side renders the messages itself. Another --chat-template, or one on one side only, gives other tokens, other block hashes " +
            "and KV of another prompt.",
        Symptom = "Blocks of the wrong length, 0 hits, or an answer to another prompt.",
        Fix = "Use the same --chat-template file on both sides.",
        Versions = "every version",
        Sources = ["vLLM docs/features/disagg_prefill.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --chat-template /templates/a.jinja \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --chat-template /templates/a.jinja \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --chat-template /templates/a.jinja \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Value("--chat-template");
        var decode = pair.Decode.Arguments.Value("--chat-template");
        if (prefill?.Value == decode?.Value || prefill is { HasUnknown: true } || decode is { HasUnknown: true }) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"The chat template is {decode?.Value ?? "the model's own"} on {pair.Decode.Name} and {prefill?.Value ?? "the model's own"} on {pair.Prefill.Name}. Pass the same --chat-template to both.");
        return true;
    }
}
