namespace Ferry.Cluster.Planning.Simulation;

/// <summary>How a trace is played.</summary>
public sealed record SimulationOptions
{
    /// <summary>2: arrivals come twice as fast as recorded.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Of the choices that are drawn.</summary>
    public int Seed { get; init; } = 1;
}
