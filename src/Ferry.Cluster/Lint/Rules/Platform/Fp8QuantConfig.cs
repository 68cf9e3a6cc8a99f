using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Fp8 KV on Gaudi without QUANT_CONFIG.</summary>
internal sealed class Fp8QuantConfig : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU007",
        Severity = LintSeverity.Error,
        Title = "fp8 KV on Gaudi without QUANT_CONFIG",
        Why = "fp8_inc takes its scales from Intel Neural Compressor's configuration, which QUANT_CONFIG names.",
        Symptom = "`KeyError / ValueError about QUANT_CONFIG` at load.",
        Fix = "Set QUANT_CONFIG to the JSON file of the calibration, or use --kv-cache-dtype auto.",
        Versions = "vllm-gaudi all",
        Sources = ["vllm-gaudi docs, INC quantization"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e QUANT_CONFIG=/calibration/maxabs_quant.json \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization inc --kv-cache-dtype fp8_inc
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization inc --kv-cache-dtype fp8_inc
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.KvCacheDType() is not { Value: "fp8_inc" } value || engine.Environment.Has("QUANT_CONFIG")) { return; }
        findings.Report(Info, value.Span, $"{engine.Name} keeps fp8 KV without QUANT_CONFIG, which names its scales. Set it, or write --kv-cache-dtype auto.");
    }
}
