namespace Ferry.Benchmarks;

/// <summary>What a table quotes of several runs.</summary>
internal static class Samples
{
    /// <summary>The middle value; of an even number of values the higher one in the middle.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
