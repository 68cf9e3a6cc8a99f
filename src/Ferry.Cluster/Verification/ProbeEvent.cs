namespace Ferry.Cluster.Verification;

/// <summary>What the live table is told.</summary>
/// <param name="Result">Null when the run begins.</param>
public sealed record ProbeEvent(string Probe, string Title, string Target, ProbeResult? Result);
