using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>Block sizes that the pair cannot convert.</summary>
internal sealed class BlockSizeRatio : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR006",
        Severity = LintSeverity.Error,
        Title = "Block sizes that the pair cannot convert",
        Why = "With device buffers the decode side's block must be a multiple of the prefill side's, never smaller, and not while the prefill " +
            "side has more ranks.",
        Symptom = "`AssertionError: … block size …`.",
        Fix = "Use the same --block-size on both sides.",
        Versions = "vLLM 0.12 and later",
        Sources = ["vLLM #26744", "vLLM #45443"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cuda"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cuda"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.HasDeviceBuffer() || !pair.Decode.HasDeviceBuffer()) { return false; }
        if (pair.Prefill.BlockTokens() is not (> 0 and { } prefill) || pair.Decode.BlockTokens() is not (> 0 and { } decode)) { return false; }
        var why = decode % prefill != 0 ? "the decode side's must be a multiple of the prefill side's"
            : decode != prefill && pair.Prefill.TensorParallel > pair.Decode.TensorParallel ? "they may differ only while the prefill side has no more ranks than the decode side"
            : null;
        if (why is null) { return false; }
        findings.Report(Info, pair.Decode.BlockSizeFlag()?.Span ?? pair.Decode.HeadSpan, $"blocks hold {decode} tokens here and {prefill} on {pair.Prefill.Label()} ({(pair.Prefill.BlockSizeFlag()?.Span ?? pair.Prefill.HeadSpan).SeenFrom(pair.Decode)}); {why}. Pass --block-size {decode} to both.");
        return true;
    }
}
