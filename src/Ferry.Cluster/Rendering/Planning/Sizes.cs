using System.Globalization;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Bytes of KV and of the tiers, and how flags and variables write them.</summary>
internal static class Sizes
{
    private const long Mebibyte = 1L << 20;
    private const long Gibibyte = 1L << 30;

    /// <summary>KV of one token over all ranks: K and V, every layer and head. Null when the model's shape is unknown.</summary>
    public static long? KvBytesPerToken(ModelSpec model) => model.TryShape() is { } shape
        ? 2L * shape.Layers * shape.KvHeads * shape.HeadDim * KvElementBytes(model)
        : null;

    /// <summary>Bytes of one KV element as the description says it.</summary>
    public static int KvElementBytes(ModelSpec model) => model.KvDType switch
    {
        KvCacheDType.Fp8 => 1,
        KvCacheDType.Float32 => 4,
        KvCacheDType.Auto when model.DType == ModelDType.Float32 => 4,
        _ => 2,
    };

    /// <summary>Weights of the whole model; null when its shape is unknown.</summary>
    public static long? WeightBytes(ModelSpec model) => model.TryShape() is { } shape
        ? shape.Parameters * model.DType switch { ModelDType.Fp8 => 1, ModelDType.Float32 => 4, _ => 2 }
        : null;

    /// <summary>KV of one prompt of full length on one rank. Replicated heads count: with more ranks than KV heads each has one.</summary>
    public static long? PromptBytesPerRank(ModelSpec model, int ranks) => model.TryShape() is { } shape
        ? 2L * shape.Layers * Math.Max(1, shape.KvHeads / ranks) * shape.HeadDim * KvElementBytes(model) * model.MaxLength
        : null;

    /// <summary>A size with the largest unit of powers of 1024 that writes it exactly: 20GiB, 11520MiB.</summary>
    public static string Exact(long bytes) =>
        bytes % Gibibyte == 0 ? $"{bytes / Gibibyte}GiB" : bytes % Mebibyte == 0 ? $"{bytes / Mebibyte}MiB" : bytes % 1024 == 0 ? $"{bytes / 1024}KiB" : $"{bytes}B";

    /// <summary>GiB as LMCache takes them: a decimal number, rounded down to a MiB so that the sum over ranks stays within the node's size.</summary>
    public static string Gib(long bytes) =>
        ((decimal)(bytes / Mebibyte) / 1024).ToString("0.############", CultureInfo.InvariantCulture);

    public static long RoundUp(long bytes, long unit) => (bytes + unit - 1) / unit * unit;

    public static long RoundDown(long bytes, long unit) => bytes / unit * unit;
}
