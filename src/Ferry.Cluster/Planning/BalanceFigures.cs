namespace Ferry.Cluster.Planning;

/// <summary>What the two sides carry, and whether keeping them apart pays. Formulas: docs/planning.md, "Balance".</summary>
/// <param name="PrefillRequestsPerSecond">All nodes that prefill.</param>
/// <param name="DecodeRequestsPerSecond">All nodes that decode.</param>
/// <param name="LinkRequestsPerSecond">Hand-overs that the network of the prefill nodes, or of the decode nodes, carries; infinite where nothing is handed over.</param>
/// <param name="RequestsPerSecond">The least of these.</param>
/// <param name="Bottleneck">Which one: prefill, decode or network.</param>
/// <param name="PrefillNodesPerDecodeNode">So many prefill nodes keep one decode node busy.</param>
/// <param name="TogetherRequestsPerSecond">If every node did both.</param>
/// <param name="Verdicts">Sentences: when, and whether, disaggregation pays here.</param>
public sealed record BalanceFigures(
    double PrefillRequestsPerSecond, double DecodeRequestsPerSecond, double? LinkRequestsPerSecond, double RequestsPerSecond, string Bottleneck,
    double PrefillNodesPerDecodeNode, double TogetherRequestsPerSecond, IReadOnlyList<Verdict> Verdicts);
