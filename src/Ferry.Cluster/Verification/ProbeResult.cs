namespace Ferry.Cluster.Verification;

/// <summary>One line of the report.</summary>
public sealed record ProbeResult(string Probe, string Title, string Target, ProbeVerdict Verdict, string Text, string Fix, TimeSpan Elapsed);
