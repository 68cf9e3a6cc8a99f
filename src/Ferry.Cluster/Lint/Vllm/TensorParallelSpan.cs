using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>Where to point when an engine's tensor-parallel size is meant.</summary>
internal static class TensorParallelSpan
{
    public static SourceSpan Of(ObservedProcess engine) =>
        engine.Arguments.Flag("--tensor-parallel-size", "-tp")?.Span ?? engine.Model?.Span ?? engine.HeadSpan;
}
