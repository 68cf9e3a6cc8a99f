using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Kv_load_failure_policy is left to the version.</summary>
internal sealed class LoadFailurePolicy : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT011",
        Severity = LintSeverity.Info,
        Title = "kv_load_failure_policy is left to the version",
        Why = "Until February 2026 a failed load was recomputed; since then the default is fail, and the request ends with HTTP 500. Which of " +
            "the two a cluster does should not depend on the image.",
        Symptom = "HTTP 500 Internal server error (or an error event in the stream) after a failed transfer; or silent double prefill.",
        Fix = "Set kv_load_failure_policy to recompute (slow but right) or fail (loud) on the consumer.",
        Versions = "vLLM 0.12 and later",
        Sources = ["vLLM vllm/config/kv_transfer.py (kv_load_failure_policy)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","kv_load_failure_policy":"recompute"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || engine.KvTransfer!.Json!.Find("kv_load_failure_policy") is not null) { return; }
        if (engine.KvTransfer.Role?.Value is not ("kv_consumer" or "kv_both")) { return; }
        findings.Report(Info, engine.TransferSpan(),
            $"{engine.Label()} does not say what happens when KV cannot be loaded: vLLM since February 2026 fails the request (HTTP 500), earlier ones computed the prompt again. Add \"kv_load_failure_policy\":\"recompute\" or \"fail\".");
    }
}
