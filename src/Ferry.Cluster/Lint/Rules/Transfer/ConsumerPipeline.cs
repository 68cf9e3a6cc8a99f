using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Pipeline parallelism on a NIXL consumer.</summary>
internal sealed class ConsumerPipeline : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT018",
        Severity = LintSeverity.Error,
        Title = "Pipeline parallelism on a NIXL consumer",
        Why = "NixlConnector lets a producer be split by layers (push mode), never a consumer.",
        Symptom = "`ValueError` at start.",
        Fix = "Use --tensor-parallel-size on the decode node and leave --pipeline-parallel-size at 1.",
        Versions = "vLLM with NixlConnector",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 2 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --pipeline-parallel-size 2 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || engine.KvTransfer?.Role?.Value != "kv_consumer" || engine.Arguments.Flag("--pipeline-parallel-size", "-pp") is not { } flag || flag.Value?.TryLong() is not (> 1 and { } stages)) { return; }
        findings.Report(Info, flag.Span, $"{engine.Label()} is a NIXL consumer with {stages} pipeline stages, which vLLM refuses. Use --tensor-parallel-size instead.");
    }
}
