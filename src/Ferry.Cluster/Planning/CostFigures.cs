namespace Ferry.Cluster.Planning;

/// <summary>Cost in the currency of the prices. Formulas: docs/planning.md, "Cost".</summary>
/// <param name="PerHour">All nodes.</param>
/// <param name="RequestsPerSecond">The load that it is divided by.</param>
/// <param name="PerMillionTokens">Prompt and output tokens together.</param>
/// <param name="PerMillionOutputTokens">All cost on the output.</param>
/// <param name="TogetherPerMillionTokens">If every node did both.</param>
public sealed record CostFigures(double PerHour, double RequestsPerSecond, double PerMillionTokens, double PerMillionOutputTokens, double TogetherPerMillionTokens);
