using Ferry.Engine.Kernels;

namespace Ferry.Engine.Model;

public sealed record RunnerOptions
{
    /// <summary>Threads that compute, the caller's included; null: one a core. Never changes a result.</summary>
    public int? Threads { get; init; }

    /// <summary>Null: the widest registers of this machine. For tests: every width gives the same bits.</summary>
    internal VectorWidth? VectorWidth { get; init; }
}
