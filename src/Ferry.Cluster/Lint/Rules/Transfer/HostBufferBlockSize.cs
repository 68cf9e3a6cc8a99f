using System.Globalization;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Different block sizes with a host buffer.</summary>
internal sealed class HostBufferBlockSize : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT009",
        Severity = LintSeverity.Error,
        Title = "Different block sizes with a host buffer",
        Why = "vLLM refuses differing block sizes when kv_buffer_device is cpu. An MI300X node uses 16 tokens a block (64 where aiter's unified " +
            "attention is found), a Gaudi node 128.",
        Symptom = "`AssertionError: Heterogeneous block sizes are not supported with host buffer`.",
        Fix = "Pass --block-size 128 on the MI300X node, with --attention-backend TRITON_ATTN, whose blocks may be any multiple of 16.",
        Versions = "vLLM 0.12 and later",
        Sources = [
            "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl (base_worker._validate_remote_agent_handshake)",
            "vLLM #26744",
        ],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
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

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl() || !(pair.Prefill.HasHostBuffer() || pair.Decode.HasHostBuffer())) { return false; }
        int[] prefill = Possible(pair.Prefill);
        int[] decode = Possible(pair.Decode);
        if (prefill.Length == 0 || decode.Length == 0 || prefill.Intersect(decode).Any()) { return false; }
        var want = decode.Length == 1 ? decode[0] : prefill[0];
        findings.Report(Info, pair.Prefill.BlockSizeFlag()?.Span ?? pair.Prefill.BufferSpan(),
            $"{pair.Prefill.Label()} has blocks of {Text(prefill)} tokens and {pair.Decode.Label()} ({(pair.Decode.BlockSizeFlag()?.Span ?? pair.Decode.HeadSpan).SeenFrom(pair.Prefill)}) of {Text(decode)}, which a host buffer does not allow. " +
            $"Pass --block-size {want}{(pair.Prefill.Accelerator.Kind == AcceleratorKind.Rocm ? " --attention-backend TRITON_ATTN" : "")} to {pair.Prefill.Name}{(decode.Length == 1 ? "" : " and to its peer")}.",
            pair.Prefill.BlockSizeFlag() is { } flag && decode.Length == 1 ? Edits.Replace(flag, want.ToString(CultureInfo.InvariantCulture)) : []);
        return true;
    }

    /// <summary>Block sizes that the engine may come to have; empty when nothing is known.</summary>
    private static int[] Possible(ObservedProcess engine) => engine.BlockTokens() is { } tokens ? [tokens]
        : engine.BlockSizeFlag() is not null ? []
        : engine.Accelerator.Kind == AcceleratorKind.Rocm ? engine.AttentionBackend()?.Value.ToUpperInvariant() switch
        {
            null => [16, 64],   // AITER's unified attention, where the image has it, prefers 64.
            "TRITON_ATTN" or "ROCM_ATTN" or "FLASH_ATTN" => [16],
            "ROCM_AITER_UNIFIED_ATTN" => [64],
            "ROCM_AITER_FA" => [16, 32],
            _ => [],
        }
        : engine.Accelerator.Kind == AcceleratorKind.Cuda ? [16] : [];

    private static string Text(int[] sizes) => string.Join(" or ", sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));
}
