namespace Ferry.Cluster.Spec;

/// <summary>How the router chooses a node.</summary>
public enum RouterPolicy
{
    [SpecName("round-robin", "one after the other")]
    RoundRobin,

    [SpecName("least-loaded", "where fewest tokens wait")]
    LeastLoaded,

    [SpecName("power-of-two", "the less loaded of two drawn")]
    PowerOfTwo,

    [SpecName("session-affinity", "where the session was")]
    SessionAffinity,

    [SpecName("prefix-aware", "where most of the prompt is cached, against load")]
    PrefixAware,

    [SpecName("cost-based", "where the estimated time is least")]
    CostBased,
}
