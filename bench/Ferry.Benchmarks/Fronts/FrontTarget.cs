namespace Ferry.Benchmarks.Fronts;

/// <summary>A server under load.</summary>
/// <param name="Connect">Value bytes and pipeline depth.</param>
internal sealed record FrontTarget(string Name, BenchServer Server, Func<int, int, LoadConnection> Connect);
