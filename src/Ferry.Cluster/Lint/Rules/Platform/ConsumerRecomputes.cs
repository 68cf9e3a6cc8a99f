using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>A Gaudi consumer that is to compute prompts it never warmed up for.</summary>
internal sealed class ConsumerRecomputes : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU012",
        Severity = LintSeverity.Info,
        Title = "A Gaudi consumer computes prompts that it was not warmed up for",
        Why = "vllm-gaudi's kv_consumer skips the profile run and the warm-up of prompts, since another node is to compute them. With kv_load_failure_policy=recompute " +
            "a failed transfer makes it compute one all the same: graphs are compiled while requests wait, and memory that was never measured may run out.",
        Symptom = "One slow answer of many seconds after a failed transfer, or an out-of-memory error on the decode node.",
        Fix = "Use kv_load_failure_policy=fail and let the router try another node, or warm the node up as kv_both.",
        Versions = "vllm-gaudi, every version",
        Sources = ["vllm-gaudi vllm_gaudi/v1/worker/hpu_model_runner.py (profile_run)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","kv_load_failure_policy":"fail"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","kv_load_failure_policy":"recompute"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.KvTransfer is not { Role.Value: "kv_consumer", Json: { } json }) { return; }
        if (json.Find("kv_load_failure_policy") is not { } policy || policy.TryString() != "recompute") { return; }
        findings.Report(Info, policy.Span, $"{engine.Name} is a consumer and computes prompts itself when a transfer fails, without having warmed up for them. Write \"fail\", or accept a slow answer then.");
    }
}
