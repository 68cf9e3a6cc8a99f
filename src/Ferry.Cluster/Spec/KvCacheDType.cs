namespace Ferry.Cluster.Spec;

/// <summary>Element type of the KV cache.</summary>
public enum KvCacheDType
{
    [SpecName("auto", "as the weights' activations: 2 bytes, or 4 with float32")]
    Auto,

    [SpecName("bfloat16", "2 bytes")]
    BFloat16,

    [SpecName("float16", "2 bytes")]
    Float16,

    [SpecName("float32", "4 bytes")]
    Float32,

    [SpecName("fp8", "1 byte; MI300X stores e4m3fnuz, Gaudi3 e4m3fn: the same bits mean half or twice the value")]
    Fp8,
}
