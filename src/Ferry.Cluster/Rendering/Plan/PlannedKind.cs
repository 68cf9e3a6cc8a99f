namespace Ferry.Cluster.Rendering.Plan;

/// <summary>What a process of the cluster does. The order is the order in which a node starts them.</summary>
public enum PlannedKind
{
    /// <summary><c>ferry cache</c>: the store of the engine beside it.</summary>
    Exchange = 1,

    /// <summary>vLLM or <c>ferry serve</c>.</summary>
    Engine = 2,

    /// <summary><c>ferry route</c>, or LMCache's proxy in its PD profile.</summary>
    Router = 3,
}
