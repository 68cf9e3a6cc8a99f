namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Seconds over all requests that were served.</summary>
public sealed record LatencyFigures(double Mean, double Median, double P90, double P99, double Maximum)
{
    internal static LatencyFigures Of(double[] values, int count)
    {
        var sorted = values.AsSpan(0, count);
        sorted.Sort();
        var sum = 0.0;
        foreach (var value in sorted)
        {
            sum += value;
        }
        return new(count == 0 ? 0 : sum / count, Percentile.Of(sorted, 0.5), Percentile.Of(sorted, 0.9), Percentile.Of(sorted, 0.99), count == 0 ? 0 : sorted[^1]);
    }
}
