using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>Gaudi's joint-KV staging pool does not fit.</summary>
internal sealed class GaudiStaging : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP008",
        Severity = LintSeverity.Error,
        Title = "Gaudi's joint-KV staging pool does not fit",
        Why = "VLLM_HPU_NIXL_JOINT_KV=1 allocates max-num-seqs × ceil(max-model-len / block) staging blocks a layer unless " +
            "VLLM_HPU_NIXL_STAGING_SLOTS caps them: 256 × 8192 tokens of a 70B model are 160 GiB a rank, more than a Gaudi3 has.",
        Symptom = "Startup error about the staging pool, or out of memory.",
        Fix = "Set VLLM_HPU_NIXL_STAGING_SLOTS to what the concurrent transfers need (some thousand), or lower --max-num-seqs.",
        Versions = "vllm-gaudi 0.24 and later",
        Sources = ["vllm-gaudi #1588"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_HPU_HETERO_KV_LAYOUT=true -e VLLM_HPU_NIXL_JOINT_KV=1 -e VLLM_HPU_NIXL_STAGING_SLOTS=4096 \
              vllm-gaudi:v0.24.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-num-seqs 256 --max-model-len 8192
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_HPU_HETERO_KV_LAYOUT=true -e VLLM_HPU_NIXL_JOINT_KV=1 \
              vllm-gaudi:v0.24.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-num-seqs 256 --max-model-len 8192
            """),
    };

    /// <summary>The staging pool's blocks are the peer's, not the local 128 tokens.</summary>
    private const long StagingBlockTokens = 16;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || !engine.IsOn("VLLM_HPU_NIXL_JOINT_KV") || EngineMemory.TokenBytesOf(engine) is not { } tokenBytes) { return; }
        if (engine.MaxSequences() is not (> 0 and < 1 << 20 and { } sequences) || engine.MaxModelLength() is not (> 0 and { } length)) { return; }
        var block = engine.NixlExtra("agreed_block_size")?.Text.TryLong() ?? StagingBlockTokens;
        if (block < 1) { return; }
        var slots = engine.Environment.Find("VLLM_HPU_NIXL_STAGING_SLOTS") is { } cap ? cap.Value?.TryLong() : sequences * ((length + block - 1) / block);
        if (slots is not > 0 || EngineMemory.Of(engine) is not { } memory) { return; }
        var bytes = slots.Value * (double)block * tokenBytes;
        if (bytes <= memory.KvBytes) { return; }
        findings.Report(Info, engine.Environment.Find("VLLM_HPU_NIXL_STAGING_SLOTS")?.Span ?? engine.Environment.Find("VLLM_HPU_NIXL_JOINT_KV")!.Span,
            $"the staging pool takes {slots} slots of {block} tokens, {EngineMemory.Gib(bytes)} a rank, and {EngineMemory.Gib(Math.Max(0, memory.KvBytes))} are left. Set VLLM_HPU_NIXL_STAGING_SLOTS to some thousand, or lower --max-num-seqs.");
    }
}
