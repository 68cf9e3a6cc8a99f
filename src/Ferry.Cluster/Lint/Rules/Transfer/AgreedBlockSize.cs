using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>VLLM_HPU_HETERO_KV_LAYOUT without its two settings.</summary>
internal sealed class AgreedBlockSize : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT022",
        Severity = LintSeverity.Error,
        Title = "VLLM_HPU_HETERO_KV_LAYOUT without its two settings",
        Why = "The heterogeneous connector needs enable_permute_local_kv:true and kv_connector_extra_config.agreed_block_size, a size that " +
            "divides the local block and equals the peer's.",
        Symptom = "The connector disables itself or asserts at the first handshake.",
        Fix = "Set enable_permute_local_kv to true and agreed_block_size to the peer's block size (16 for a default MI300X).",
        Versions = "vllm-gaudi 0.20 and later",
        Sources = ["vllm-gaudi #867", "vllm-gaudi #1587"],
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
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-prefix-caching \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || !engine.IsOn("VLLM_HPU_HETERO_KV_LAYOUT")) { return; }
        var permute = engine.KvTransfer!.Nixl!.Find("enable_permute_local_kv");
        if (permute is not { IsTrue: true } && permute?.TryString()?.ToLowerInvariant() != "true")
        {
            findings.Report(Info, permute?.Span ?? engine.TransferSpan(), $"{engine.Label()} uses Gaudi's heterogeneous connector without \"enable_permute_local_kv\":true. Add it.");
        }
        var agreed = engine.NixlExtra("agreed_block_size");
        var own = engine.BlockTokens() ?? 128;
        if (agreed is null)
        {
            findings.Report(Info, engine.TransferSpan(), $"{engine.Label()} uses Gaudi's heterogeneous connector without agreed_block_size. Add \"kv_connector_extra_config\":{{\"agreed_block_size\":16}}, the peer's block size.");
        }
        else if (agreed.Text.TryLong() is { } tokens && (tokens < 1 || own % tokens != 0))
        {
            findings.Report(Info, agreed.Span, $"agreed_block_size is {tokens}; it must divide the local block of {own} tokens.");
        }
    }
}
