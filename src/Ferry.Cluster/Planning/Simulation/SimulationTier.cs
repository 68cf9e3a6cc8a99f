namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Where a token of a prompt came from.</summary>
internal enum SimulationTier : byte
{
    /// <summary>The prefill engine's own prefix cache.</summary>
    Device,
    Memory,
    Disk,
    Shared,
    Computed,
}
