namespace Ferry.Kv.Layout;

/// <summary>Sizes and names of the KV element types.</summary>
public static class KvDTypes
{
    /// <summary>Every element type by the name that <see cref="Name"/> gives it.</summary>
    public static IReadOnlyDictionary<string, KvDType> ByName { get; } =
        Enum.GetValues<KvDType>().ToDictionary(dtype => dtype.Name(), StringComparer.Ordinal);

    /// <summary>Bytes of one element.</summary>
    public static int Bytes(this KvDType dtype) => dtype switch
    {
        KvDType.Float32 => 4,
        KvDType.Float16 or KvDType.BFloat16 => 2,
        KvDType.Float8E4M3Fn or KvDType.Float8E4M3Fnuz or KvDType.Float8E5M2 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a KV element type."),
    };

    public static bool IsFp8(this KvDType dtype) =>
        dtype is KvDType.Float8E4M3Fn or KvDType.Float8E4M3Fnuz or KvDType.Float8E5M2;

    /// <summary>The name in text forms; the number for a value that is none of ours.</summary>
    public static string Name(this KvDType dtype) => dtype switch
    {
        KvDType.Float32 => "fp32",
        KvDType.Float16 => "fp16",
        KvDType.BFloat16 => "bf16",
        KvDType.Float8E4M3Fn => "e4m3fn",
        KvDType.Float8E4M3Fnuz => "e4m3fnuz",
        KvDType.Float8E5M2 => "e5m2",
        _ => ((int)dtype).ToString(),
    };
}
