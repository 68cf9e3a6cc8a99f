namespace Ferry.Cluster.Rendering.Plan;

/// <summary>Who may connect to a port: what a network policy says.</summary>
[Flags]
public enum PortCallers
{
    None = 0,

    /// <summary>Users of the cluster, from anywhere.</summary>
    Clients = 1,

    /// <summary>The router.</summary>
    Router = 2,

    /// <summary>Engines, of every pool.</summary>
    Engines = 4,

    /// <summary>Whoever reads metrics.</summary>
    Monitoring = 8,

    /// <summary>Exchanges, of every pool.</summary>
    Exchanges = 16,
}
