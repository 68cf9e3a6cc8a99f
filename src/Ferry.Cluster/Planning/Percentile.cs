namespace Ferry.Cluster.Planning;

/// <summary>Percentiles by nearest rank: always a value that occurred.</summary>
internal static class Percentile
{
    /// <param name="sorted">Ascending; 0 is returned for none.</param>
    /// <param name="share">0.5 for the median.</param>
    public static double Of(ReadOnlySpan<double> sorted, double share) =>
        sorted.IsEmpty ? 0 : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}
