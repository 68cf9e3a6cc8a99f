using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Rules.LmCache;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>A host buffer is as large as the whole KV cache, on every rank.</summary>
internal sealed class HostBufferMemory : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT012",
        Severity = LintSeverity.Warning,
        Title = "A host buffer is as large as the whole KV cache, on every rank",
        Why = "With kv_buffer_device=cpu each rank allocates its entire KV cache a second time in host memory and pins it. For a 70B model at " +
            "TP 4 that is about 134 GiB a rank on MI300X and 67 GiB on Gaudi3: 536 and 270 GiB of host RAM a node, beside LMCache's own " +
            "pools.",
        Symptom = "The kernel's OOM killer during start, or: ibv_reg_mr … Cannot allocate memory.",
        Fix = "Give the node that much RAM and memlock, lower --gpu-memory-utilization (or set --num-gpu-blocks-override), or use device " +
            "buffers on both sides.",
        Versions = "vLLM with NixlConnector",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl (initialize_host_xfer_buffer)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 --gpu-memory-utilization 0.90 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 --gpu-memory-utilization 0.90 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || !engine.HasHostBuffer()) { return; }
        if (EngineMemory.Of(engine) is not { KvBytes: > 0 } memory)
        {
            findings.Report(Info, LintSeverity.Info, engine.BufferSpan(),
                $"kv_buffer_device=cpu makes {engine.Label()} hold its whole KV cache a second time in pinned host memory, on every rank; how much that is, the files do not say (model or accelerator unknown).");
            return;
        }
        var total = memory.KvBytes * (double)memory.Ranks;
        if (engine.Container?.MemoryLimit is { } written && MemoryText.TryBytes(written.Value) is { } limit && limit >= total) { return; }
        findings.Report(Info, engine.BufferSpan(),
            $"kv_buffer_device=cpu makes {engine.Label()} pin {EngineMemory.Gib(memory.KvBytes)} of host memory a rank, {EngineMemory.Gib(total)} in all, as much as its KV cache. " +
            "Give the host that much RAM (and memlock), lower --gpu-memory-utilization, or use device buffers on both sides.");
    }
}
