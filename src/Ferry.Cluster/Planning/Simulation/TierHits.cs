namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Prompt tokens that one tier gave.</summary>
/// <param name="Ratio">Of all prompt tokens.</param>
public sealed record TierHits(string Tier, long Tokens, double Ratio);
