using System.Globalization;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A flag's value is out of range.</summary>
internal sealed class FlagValue : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM007",
        Severity = LintSeverity.Error,
        Title = "A flag's value is out of range",
        Why = "vLLM refuses it at start.",
        Symptom = "`ValueError or: error: argument …: invalid int value`.",
        Fix = "Write a value in the range named.",
        Versions = "every version",
        Sources = ["vLLM vllm/config"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --gpu-memory-utilization 0.90
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --gpu-memory-utilization 90
            """),
    };

    private static readonly (string[] Names, double Min, double Max)[] Ranges =
    [
        (["--gpu-memory-utilization"], 0.01, 1),
        (["--tensor-parallel-size", "-tp"], 1, 1024),
        (["--pipeline-parallel-size", "-pp"], 1, 1024),
        (["--data-parallel-size", "-dp"], 1, 4096),
        (["--max-num-seqs"], 1, 1 << 20),
        (["--max-num-batched-tokens"], 1, 1 << 28),
        (["--block-size"], 1, 4096),
        (["--port"], 1, 65_535),
    ];

    private static readonly string[] DTypes = ["auto", "half", "float16", "bfloat16", "float", "float32"];

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        foreach (var (names, min, max) in Ranges)
        {
            if (engine.Arguments.Flag(names) is not { Value: { HasUnknown: false } value } flag) { continue; }
            // vLLM takes "8k" and "8K" for counts; those are read elsewhere.
            if (value.Value.Length > 1 && value.Value[^1] is 'k' or 'K' or 'm' or 'M' or 'g' or 'G' && min >= 1) { continue; }
            var number = value.TryDouble() ?? double.NaN;
            if (number >= min && number <= max && (min < 1 || number % 1 == 0)) { continue; }
            findings.Report(Info, flag.Span, string.Create(CultureInfo.InvariantCulture, $"{flag.Key} is {value.Value}; it must be {(min < 1 ? "a share" : "a whole number")} of {min} to {max}.{(max == 1 && number > 1 && number <= 100 ? $" Write {number / 100:0.##}." : "")}"));
        }
        if (engine.DType() is { HasUnknown: false } dtype && !DTypes.Contains(dtype.Value))
        {
            findings.Report(Info, dtype.Span, $"--dtype is {dtype.Value}; it must be one of {string.Join(", ", DTypes)}.{(dtype.Value is "bf16" ? " Write bfloat16." : dtype.Value is "fp16" ? " Write float16." : "")}",
                dtype.Value is "bf16" or "fp16" ? Edits.Replace(dtype, dtype.Value is "bf16" ? "bfloat16" : "float16") : []);
        }
    }
}
