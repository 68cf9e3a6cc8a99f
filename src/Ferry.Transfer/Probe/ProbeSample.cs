namespace Ferry.Transfer.Probe;

/// <summary>What one measurement gave.</summary>
/// <param name="CpuTime">Of this process; the other end's is its own affair.</param>
/// <param name="Latencies">Of every transfer, sorted.</param>
/// <param name="Failure">The first transfer that did not succeed, or null.</param>
public sealed record ProbeSample(long Bytes, TimeSpan Elapsed, TimeSpan CpuTime, IReadOnlyList<TimeSpan> Latencies, TransferOutcome? Failure)
{
    /// <summary>10⁹ bytes a second.</summary>
    public double GigabytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / 1e9 / Elapsed.TotalSeconds : 0;

    /// <summary>The value that <paramref name="share"/> of the latencies do not exceed.</summary>
    /// <param name="share">0 to 1.</param>
    public TimeSpan Latency(double share) => Latencies.Count == 0 ? TimeSpan.Zero : Latencies[Math.Min(Latencies.Count - 1, (int)(share * Latencies.Count))];
}
