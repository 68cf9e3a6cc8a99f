namespace Ferry.Cluster.Spec;

/// <summary>Where K and V lie relative to each other.</summary>
public enum BlockPacking
{
    [SpecName("interleaved", "K and V of each token and head side by side: one region a layer")]
    Interleaved,

    [SpecName("halves", "a half of K, then a half of V in each block: one region a layer")]
    Halves,

    [SpecName("split", "two tensors a layer: two regions")]
    Split,
}
