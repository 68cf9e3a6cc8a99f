using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>LMCache on Gaudi without PT_HPU_GPU_MIGRATION=1.</summary>
internal sealed class LmCacheMigration : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU004",
        Severity = LintSeverity.Error,
        Title = "LMCache on Gaudi without PT_HPU_GPU_MIGRATION=1",
        Why = "LMCache calls torch.cuda; on Gaudi the migration layer must answer these calls. vllm-gaudi looks for LMCache by the name in " +
            "kv_connector.",
        Symptom = "`AssertionError: Torch not compiled with CUDA enabled`.",
        Fix = "Set PT_HPU_GPU_MIGRATION=1.",
        Versions = "vllm-gaudi with LMCacheConnectorV1",
        Sources = ["vllm-gaudi examples/lmcache", "LMCache #2822"],
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
              -e PYTHONHASHSEED=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.KvTransfer?.LmCacheInProcess is not { } connector || engine.IsOn("PT_HPU_GPU_MIGRATION")) { return; }
        findings.Report(Info, connector.Find("kv_connector")!.Span, $"{engine.Name} loads LMCache on Gaudi without PT_HPU_GPU_MIGRATION=1, which its torch.cuda calls need. Add -e PT_HPU_GPU_MIGRATION=1.", Edits.AddVariable(engine, "PT_HPU_GPU_MIGRATION", "1"));
    }
}
