using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>The accelerator that a process seems to be for, and what says so.</summary>
/// <param name="Reason">As a message quotes it: "--device=/dev/kfd". Empty when unknown.</param>
/// <param name="Span">Where that stands; null when unknown.</param>
/// <param name="Product"><c>mi300x</c>, <c>gaudi3</c>, … as far as names say it; else null.</param>
internal sealed record AcceleratorGuess(AcceleratorKind Kind, string Reason, SourceSpan? Span, string? Product = null)
{
    public static AcceleratorGuess None { get; } = new(AcceleratorKind.Unknown, "", null);

    /// <summary>ROCm, Gaudi or CPU: a CUDA transport or device can do nothing there.</summary>
    public bool IsKnownNotCuda => Kind is AcceleratorKind.Rocm or AcceleratorKind.Gaudi or AcceleratorKind.Cpu;

    /// <summary>How people call it: "ROCm", "Gaudi".</summary>
    public string Name => Kind switch
    {
        AcceleratorKind.Rocm => "ROCm",
        AcceleratorKind.Gaudi => "Gaudi",
        AcceleratorKind.Cuda => "CUDA",
        AcceleratorKind.Cpu => "CPU",
        _ => "an unknown accelerator",
    };
}
