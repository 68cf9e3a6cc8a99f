namespace Ferry.TestKit.Exchange;

/// <summary>What came of a soak.</summary>
/// <param name="Wrong">Values that were not what their key's last writer had put.</param>
/// <param name="ResidentBytes">Of the process, twice a second.</param>
public sealed record SoakReport(
    TimeSpan Duration, long Operations, long BytesIn, long BytesOut, long Gets, long Hits, long Wrong, IReadOnlyList<long> ResidentBytes)
{
    /// <summary>The highest sample of the last quarter over the highest of the second: the first fills the arena and warms the code.</summary>
    public double Growth => (double)Highest(3) / Highest(1);

    /// <summary>The highest sample of a quarter of the time, 0 to 3.</summary>
    public long Highest(int quarter)
    {
        var size = Math.Max(1, ResidentBytes.Count / 4);
        return ResidentBytes.Skip(quarter * size).Take(size).DefaultIfEmpty(ResidentBytes[^1]).Max();
    }
}
