using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Lint.Capacity;

/// <summary>How an engine's device memory is divided, per rank.</summary>
/// <param name="DeviceBytes">Memory of one device.</param>
/// <param name="WeightBytes">The rank's share of the weights.</param>
/// <param name="KvBytes">What is left for KV; negative when the weights do not fit.</param>
/// <param name="TokenBytes">KV of one token on this rank: K and V, all layers, the rank's heads.</param>
/// <param name="Ranks">Tensor-parallel ranks.</param>
internal sealed record EngineMemory(long DeviceBytes, long WeightBytes, long KvBytes, long TokenBytes, int Ranks)
{
    private const double DefaultUtilization = 0.9; // vLLM, vllm/config/cache.py.

    /// <summary>Tokens that the KV cache holds.</summary>
    public long KvTokens => Math.Max(0, KvBytes) / TokenBytes;

    /// <summary>KV of one token over all ranks.</summary>
    public long AllTokenBytes => TokenBytes * Ranks;

    /// <summary>Null when the accelerator, the model, the quantisation or the parallel sizes are not known.</summary>
    public static EngineMemory? Of(ObservedProcess engine)
    {
        if (engine.Profile() is not { } profile || engine.Shape() is not { } shape || engine.TensorParallel is not ({ } ranks and > 0 and <= 1024) ||
            engine.Ranks() != ranks || WeightElementBytes(engine) is not { } weightElement)
        {
            return null;
        }
        var utilization = engine.Arguments.Flag("--gpu-memory-utilization") is { } flag ? flag.Value?.TryDouble() : DefaultUtilization;
        if (utilization is not (> 0 and <= 1)) { return null; }
        var weights = (long)(shape.Parameters * weightElement / ranks);
        double left = profile.MemoryRule == MemoryRule.AfterWeights
            ? (profile.MemoryBytes - weights - profile.ReserveBytes) * utilization.Value * (1 - profile.GraphShare)
            : (profile.MemoryBytes * utilization.Value) - weights - profile.ReserveBytes;
        return new EngineMemory(profile.MemoryBytes, weights, (long)left, TokenBytesOf(engine, shape, ranks), ranks);
    }

    /// <summary>KV bytes of one token on one rank of an engine whose model is known; null otherwise.</summary>
    public static long? TokenBytesOf(ObservedProcess engine) =>
        engine.Shape() is { } shape && engine.TensorParallel is { } ranks and > 0 and <= 1024 ? TokenBytesOf(engine, shape, ranks) : null;

    /// <summary>"32.9 GiB".</summary>
    public static string Gib(double bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (1L << 30):0.#} GiB");

    private static long TokenBytesOf(ObservedProcess engine, ModelShape shape, int ranks)
    {
        var element = engine.HasFp8Kv() ? 1 : engine.KvCacheDType()?.Value is "float32" || engine.DType()?.Value is "float32" or "float" ? 4 : 2;
        return 2L * shape.Layers * Math.Max(1, shape.KvHeads / ranks) * shape.HeadDim * element;
    }

    private static double? WeightElementBytes(ObservedProcess engine)
    {
        if (engine.Arguments.Value("--quantization", "-q") is { } quantization)
        {
            return quantization.Value is "fp8" ? 1 : null;
        }
        return engine.DType()?.Value is "float32" or "float" ? 4 : 2;
    }
}
