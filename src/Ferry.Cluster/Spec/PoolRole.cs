namespace Ferry.Cluster.Spec;

/// <summary>What a pool's nodes do for a request.</summary>
public enum PoolRole
{
    [SpecName("both", "computes prompts and generates")]
    Both,

    [SpecName("prefill", "computes prompts and lends their KV")]
    Prefill,

    [SpecName("decode", "fetches KV and generates")]
    Decode,
}
