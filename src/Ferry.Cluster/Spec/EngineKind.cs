namespace Ferry.Cluster.Spec;

/// <summary>What serves the model on a node.</summary>
public enum EngineKind
{
    [SpecName("vllm", "vllm serve, on ROCm, Gaudi or CPU")]
    Vllm,

    [SpecName("ferry", "ferry serve, on CPU")]
    Ferry,
}
