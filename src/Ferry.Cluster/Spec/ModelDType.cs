namespace Ferry.Cluster.Spec;

/// <summary>Element type of weights.</summary>
public enum ModelDType
{
    [SpecName("bfloat16", "2 bytes; the one that MI300X and Gaudi3 both compute in")]
    BFloat16,

    [SpecName("float16", "2 bytes; Gaudi turns it into bfloat16")]
    Float16,

    [SpecName("float32", "4 bytes")]
    Float32,

    [SpecName("fp8", "1 byte; weights quantised by the checkpoint")]
    Fp8,

    [SpecName("auto", "as the checkpoint stores it, counted as 2 bytes")]
    Auto,
}
