using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>Nothing shows that both images hold one NIXL and one UCX.</summary>
internal sealed class TransferLibrary : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR010",
        Severity = LintSeverity.Info,
        Title = "Nothing shows that both images hold one NIXL and one UCX",
        Why = "Addresses and remote keys are opaque bytes of the UCX that made them: keys of 1.18 cannot be unpacked by 1.22 and the reverse " +
            "way fails too. vLLM's ROCm image builds UCX 96e58a16 (July 2026), vllm-gaudi pins NIXL 0.7.0 and UCX 1df7b045 (January 2026); " +
            "nobody tests the two together.",
        Symptom = "`ucp_rkey.c UCX ERROR failed to unpack remote key from remote md[0]: Unsupported operation`; loadRemoteMD NIXL_ERR_BACKEND.",
        Fix = "Build both images from one NIXL and one UCX commit (1.19 or later) and compare ucx_info -v in both containers.",
        Versions = "UCX before 1.19 against later ones",
        Sources = ["vllm-gaudi install_nixl.py", "vLLM docker/Dockerfile.rocm", "NIXL #386"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl() || pair.Prefill.Container?.Image is not { } prefill || pair.Decode.Container?.Image is not { } decode || prefill.Value == decode.Value) { return false; }
        findings.Report(Info, decode.Span, $"{decode.Value} and {prefill.Value} ({prefill.Span.SeenFrom(pair.Decode)}) are built apart, and nothing here shows that they hold the same NIXL and UCX. Compare `ucx_info -v` and the nixl package in both; UCX must be 1.19 or later and of one minor version.");
        return true;
    }
}
