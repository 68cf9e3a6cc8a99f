using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides serve the model under different names.</summary>
internal sealed class ServedModelName : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR022",
        Severity = LintSeverity.Warning,
        Title = "The two sides serve the model under different names",
        Why = "A router sends one body to both. The side that does not know the name in it answers 404.",
        Symptom = "`404 NotFoundError: The model … does not exist`.",
        Fix = "Pass the same --served-model-name on both sides.",
        Versions = "every version",
        Sources = ["vLLM vllm/entrypoints/openai/serving_models.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --served-model-name llama \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --served-model-name llama \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --served-model-name llama \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Flag("--served-model-name");
        var decode = pair.Decode.Arguments.Flag("--served-model-name");
        if (prefill?.Value?.Value == decode?.Value?.Value || prefill?.Value is { HasUnknown: true } || decode?.Value is { HasUnknown: true }) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"{pair.Decode.Name} is asked for as {decode?.Value?.Value ?? pair.Decode.Model?.Value}, {pair.Prefill.Name} as {prefill?.Value?.Value ?? pair.Prefill.Model?.Value}. Pass the same --served-model-name to both.");
        return true;
    }
}
