using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>The producer's lease is too short for a Gaudi consumer.</summary>
internal sealed class LeaseTooShort : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT010",
        Severity = LintSeverity.Warning,
        Title = "The producer's lease is too short for a Gaudi consumer",
        Why = "A producer holds finished KV for kv_lease_duration (30 s unless set) and the decode engine renews it by heartbeats; vllm-gaudi's " +
            "connector sends none. A request that waits longer in the decode queue reads blocks that were given to somebody else, and the " +
            "answer is HTTP 200 with wrong tokens.",
        Symptom = "On the producer: `Releasing expired KV blocks …`; `Potentially invalid KV blocks for unrecognized request … may have expired`; " +
            "metric vllm:nixl_num_kv_expired_reqs.",
        Fix = "Set kv_connector_extra_config.kv_lease_duration on the producer to the longest time a request may wait on the decode node, 300 " +
            "for instance.",
        Versions = "vLLM 0.20 and later with vllm-gaudi",
        Sources = [
            "vllm-gaudi hetero_hpu_nixl_connector.py (build_connector_meta packs no heartbeats)",
            "vLLM #21570",
            "aibrix #1772",
        ],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu","kv_connector_extra_config":{"kv_lease_duration":300}}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    private const double DefaultSeconds = 30; // kv_lease_duration.

    /// <summary>Longer than a decode queue usually is; the way out names 300.</summary>
    private const double EnoughSeconds = 120;

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl() || pair.Decode.Accelerator.Kind != AcceleratorKind.Gaudi) { return false; }
        var lease = pair.Prefill.NixlExtra("kv_lease_duration");
        if ((lease is null ? DefaultSeconds : lease.Text.TryDouble()) is not (< EnoughSeconds and { } seconds)) { return false; }
        findings.Report(Info, lease?.Span ?? pair.Prefill.TransferSpan(),
            $"{pair.Prefill.Label()} gives finished KV away after {seconds} s{(lease is null ? " (the default)" : "")}, and the Gaudi engine {pair.Decode.Name} does not renew the lease. " +
            "Add \"kv_connector_extra_config\":{\"kv_lease_duration\":300} here.",
            lease is null ? [] : Edits.Replace(lease.Text, "300"));
        return true;
    }
}
