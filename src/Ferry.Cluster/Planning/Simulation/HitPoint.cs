namespace Ferry.Cluster.Planning.Simulation;

/// <summary>What one cache of some size would have hit in a trace.</summary>
/// <param name="Blocks">Capacity, in blocks of the trace.</param>
/// <param name="Bytes">The same for this model.</param>
/// <param name="Ratio">Blocks found, prefix by prefix, of all blocks asked for.</param>
public sealed record HitPoint(long Blocks, long Bytes, double Ratio);
