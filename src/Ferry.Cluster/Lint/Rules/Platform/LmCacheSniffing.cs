using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Vllm-gaudi does not recognise LMCache in this form.</summary>
internal sealed class LmCacheSniffing : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU011",
        Severity = LintSeverity.Warning,
        Title = "vllm-gaudi does not recognise LMCache in this form",
        Why = "The plug-in prepares itself for LMCache when it finds LMCache in the word behind --kv-transfer-config (or in " +
            "VLLM_KV_TRANSFER_CONFIG). The form --kv-transfer-config=… and a child of MultiConnector can be missed.",
        Symptom = "`AssertionError: Torch not compiled with CUDA enabled`.",
        Fix = "Write --kv-transfer-config and its value as two words, or set VLLM_KV_CONNECTOR=LMCacheConnectorV1 as well.",
        Versions = "vllm-gaudi all",
        Sources = ["vllm-gaudi vllm_gaudi (LMCache hook)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config='{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.KvTransfer is not { LmCacheInProcess: not null } transfer) { return; }
        if (engine.Environment.Has("VLLM_KV_CONNECTOR") || engine.Environment.Has("VLLM_KV_TRANSFER_CONFIG")) { return; }
        var nameEnd = transfer.Flag.Name.Span.End;
        var isJoined = nameEnd < transfer.Flag.Span.File.Text.Length && transfer.Flag.Span.File.Text[nameEnd] == '=';
        if (!isJoined && transfer.Connector?.Value != "MultiConnector") { return; }
        findings.Report(Info, transfer.Flag.Name.Span, $"vllm-gaudi may not see LMCache {(isJoined ? "behind --kv-transfer-config=" : "inside MultiConnector")}. {(isJoined ? "Write flag and value as two words" : "Add -e VLLM_KV_CONNECTOR=LMCacheConnectorV1")}.");
    }
}
