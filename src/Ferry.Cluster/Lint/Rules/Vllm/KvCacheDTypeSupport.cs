using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A --kv-cache-dtype that the platform does not take.</summary>
internal sealed class KvCacheDTypeSupport : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM010",
        Severity = LintSeverity.Error,
        Title = "A --kv-cache-dtype that the platform does not take",
        Why = "Gaudi knows auto and fp8_inc (with QUANT_CONFIG), ROCm and CUDA auto, bfloat16 and fp8 with its forms.",
        Symptom = "`ValueError: Unsupported kv cache dtype`.",
        Fix = "Use auto, or the platform's own name of fp8.",
        Versions = "every version",
        Sources = ["vllm-gaudi vllm_gaudi/platform.py", "vLLM vllm/config/cache.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype auto
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype fp8
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvCacheDType() is not { HasUnknown: false } value) { return; }
        var isInc = value.Value == "fp8_inc";
        if (engine.Accelerator.Kind == AcceleratorKind.Gaudi && engine.HasFp8Kv() && !isInc)
        {
            findings.Report(Info, value.Span, $"Gaudi takes no --kv-cache-dtype {value.Value}. Write auto, or fp8_inc with QUANT_CONFIG.");
        }
        if (isInc && engine.Accelerator.Kind is AcceleratorKind.Rocm or AcceleratorKind.Cuda)
        {
            findings.Report(Info, value.Span, $"fp8_inc is Gaudi's; {engine.Name} runs on {engine.Accelerator.Name} ({engine.Accelerator.Reason}). Write auto, or fp8.");
        }
    }
}
