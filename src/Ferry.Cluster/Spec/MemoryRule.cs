namespace Ferry.Cluster.Spec;

/// <summary>What memoryUtilization is a share of.</summary>
public enum MemoryRule
{
    [SpecName("total", "all memory; weights and reserve come out of it (vLLM)")]
    Total,

    [SpecName("after-weights", "what weights and reserve leave free; the graphs' share comes out of it (vLLM's Gaudi plugin)")]
    AfterWeights,
}
