namespace Ferry.Cluster.Spec;

/// <summary>Axes inside a KV block.</summary>
public enum BlockOrder
{
    [SpecName("hnd", "heads before tokens")]
    Hnd,

    [SpecName("nhd", "tokens before heads")]
    Nhd,
}
