namespace Ferry.Cluster.Spec;

/// <summary>What the bits of an fp8 element mean.</summary>
public enum Fp8Format
{
    [SpecName("e4m3fn", "OCP: bias 7, largest 448")]
    E4M3Fn,

    [SpecName("e4m3fnuz", "bias 8, largest 240: MI300X")]
    E4M3Fnuz,
}
