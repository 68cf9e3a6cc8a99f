using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides run different versions of vLLM.</summary>
internal sealed class EngineVersions : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR009",
        Severity = LintSeverity.Warning,
        Title = "The two sides run different versions of vLLM",
        Why = "vLLM's version is part of the handshake hash, and packing and metadata changed often (0.12, 0.20, 0.24, 0.26). LMCache's key " +
            "form changed with 0.3.13.",
        Symptom = "`NIXL compatibility hash mismatch`; `KeyError` in the handshake; wrong KV with the checks off.",
        Fix = "Use the same minor version on both sides and update them together.",
        Versions = "every version",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py (version history)", "LMCache #1897"],
        GoodExample = RuleExample.Shell("""
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
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.24.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (VllmVersion.Of(pair.Prefill) is not { } prefill || VllmVersion.Of(pair.Decode) is not { } decode || prefill == decode) { return false; }
        var isRefused = pair.Prefill.UsesNixl() && pair.Decode.UsesNixl() && !pair.Decode.IsHandshakeCheckOff();
        findings.Report(Info, isRefused ? LintSeverity.Error : LintSeverity.Warning, pair.Decode.Container!.Image!.Span,
            $"vLLM is {decode} here and {prefill} on {pair.Prefill.Label()} ({pair.Prefill.Container!.Image!.Span.SeenFrom(pair.Decode)}){(isRefused ? "; the handshake refuses another version" : "")}. Use one version on both.");
        return true;
    }
}
