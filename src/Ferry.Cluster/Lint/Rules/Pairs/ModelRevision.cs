using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides load different revisions of the model.</summary>
internal sealed class ModelRevision : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR021",
        Severity = LintSeverity.Warning,
        Title = "The two sides load different revisions of the model",
        Why = "The revision is in no hash and no key: KV of one set of weights is used by another without any message.",
        Symptom = "Slightly wrong answers.",
        Fix = "Pass the same --revision on both sides.",
        Versions = "every version",
        Sources = ["vLLM #49261", "LMCache #1175"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --revision 0e9e39f249a16976918f6564b8830bc894c89659 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --revision 0e9e39f249a16976918f6564b8830bc894c89659 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --revision 0e9e39f249a16976918f6564b8830bc894c89659 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --revision main \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Flag("--revision");
        var decode = pair.Decode.Arguments.Flag("--revision");
        if (prefill?.Value?.Value == decode?.Value?.Value || prefill?.Value is { HasUnknown: true } || decode?.Value is { HasUnknown: true }) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"{pair.Decode.Name} loads revision {decode?.Value?.Value ?? "main"}, {pair.Prefill.Name} {prefill?.Value?.Value ?? "main"}. Pass the same --revision to both.");
        return true;
    }
}
