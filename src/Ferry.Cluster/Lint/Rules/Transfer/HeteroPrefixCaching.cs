using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Gaudi's heterogeneous connector with prefix caching.</summary>
internal sealed class HeteroPrefixCaching : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT021",
        Severity = LintSeverity.Error,
        Title = "Gaudi's heterogeneous connector with prefix caching",
        Why = "The connector rewrites blocks in place when they are saved (NHD to HND, smaller blocks), which prefix caching would then serve " +
            "again. It refuses and disables itself. Prefix caching is the default, so it has to be switched off by name.",
        Symptom = "A warning at start, then no KV is transferred and every prompt is computed twice.",
        Fix = "Add --no-enable-prefix-caching on the Gaudi node (and on its peer).",
        Versions = "vllm-gaudi 0.20 and later",
        Sources = ["vllm-gaudi hetero_hpu_nixl_connector.py", "vllm-gaudi #867"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_HPU_HETERO_KV_LAYOUT=true \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-prefix-caching \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","enable_permute_local_kv":true,"kv_connector_extra_config":{"agreed_block_size":16}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_HPU_HETERO_KV_LAYOUT=true \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","enable_permute_local_kv":true,"kv_connector_extra_config":{"agreed_block_size":16}}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || !engine.IsOn("VLLM_HPU_HETERO_KV_LAYOUT") || engine.Arguments.Has("--no-enable-prefix-caching")) { return; }
        findings.Report(Info, engine.Arguments.Flag("--enable-prefix-caching")?.Span ?? engine.Environment.Find("VLLM_HPU_HETERO_KV_LAYOUT")!.Span,
            $"{engine.Label()} uses Gaudi's heterogeneous connector, which disables itself while prefix caching is on, and it is on unless switched off. Add --no-enable-prefix-caching.");
    }
}
