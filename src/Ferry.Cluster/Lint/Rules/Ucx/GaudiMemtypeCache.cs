using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>Gaudi device buffers without UCX_MEMTYPE_CACHE=0.</summary>
internal sealed class GaudiMemtypeCache : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX013",
        Severity = LintSeverity.Warning,
        Title = "Gaudi device buffers without UCX_MEMTYPE_CACHE=0",
        Why = "SynapseAI's allocator is not hooked by UCX, so its cache of memory types answers host for HPU memory that was allocated later. " +
            "Intel's own scripts switch the cache off.",
        Symptom = "Transfers that fail or carry the wrong bytes after a new allocation.",
        Fix = "Set UCX_MEMTYPE_CACHE=0.",
        Versions = "UCX 1.21 and later with gaudi_gdr",
        Sources = ["vllm-gaudi examples/nixl/run_hpu_disagg_accuracy_test_hpubuf.sh", "vllm-gaudi #591"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host --device=/dev/infiniband \
              -e UCX_TLS=rc,ud,gaudi_gdr,tcp,sm,self -e UCX_MEMTYPE_CACHE=0 -e VLLM_NIXL_DEVICE_TO_DEVICE=1 \
              vllm-gaudi:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"hpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host --device=/dev/infiniband \
              -e UCX_TLS=rc,ud,gaudi_gdr,tcp,sm,self -e VLLM_NIXL_DEVICE_TO_DEVICE=1 \
              vllm-gaudi:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"hpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || !engine.HasDeviceBuffer()) { return; }
        if (engine.Environment.Find("UCX_MEMTYPE_CACHE") is { } cache && (cache.Value is null || cache.Value.HasUnknown || cache.Value.Value.ToLowerInvariant() is "0" or "n" or "no" or "false" or "off"))
        {
            return;
        }
        findings.Report(Info, engine.BufferSpan(), $"{engine.Label()} hands HPU memory to UCX, whose cache of memory types does not see SynapseAI's allocations. Set UCX_MEMTYPE_CACHE=0.",
            Edits.AddVariable(engine, "UCX_MEMTYPE_CACHE", "0"));
    }
}
