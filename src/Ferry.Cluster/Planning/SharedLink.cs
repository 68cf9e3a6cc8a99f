namespace Ferry.Cluster.Planning;

/// <summary>A link shared fairly by equal transfers that arrive at random: how much longer than alone does one take?</summary>
/// <remarks>
/// An M/D/1 queue with processor sharing. On average n = u / (1 - u) transfers are on a link of utilisation u, and one takes 1 / (1 - u) times as long as alone,
/// whatever the distribution of lengths; the percentiles have no closed form and are counted in a run of fixed length and seed.
/// </remarks>
internal static class SharedLink
{
    private const int Transfers = 200_000;

    /// <summary>Left out at the beginning, when the link is still empty.</summary>
    private const int WarmUp = 10_000;

    /// <summary>Median and 99th percentile in units of the time alone.</summary>
    public static (double Utilization, double Median, double Tail) Stretch(int flows, int seed)
    {
        if (flows == 0)
        {
            return (0, 1, 1);
        }
        var utilization = flows / (flows + 1.0);
        var random = new SeededRandom((ulong)seed);
        var begun = new Queue<(double Time, double Tag)>();
        var taken = new List<double>(Transfers);
        var (now, served) = (0.0, 0.0);   // served: what each present transfer has got since the beginning, in units of a whole one
        for (var index = 0; index < Transfers; index++)
        {
            var next = now + random.NextExponential(1 / utilization);
            while (begun.TryPeek(out var first))
            {
                // Equal transfers end in the order in which they came.
                var end = now + ((first.Tag - served) * begun.Count);
                if (end > next)
                {
                    break;
                }
                begun.Dequeue();
                (now, served) = (end, first.Tag);
                taken.Add(end - first.Time);
            }
            served += begun.Count > 0 ? (next - now) / begun.Count : 0;
            now = next;
            begun.Enqueue((now, served + 1));
        }
        var counted = taken.Skip(WarmUp).Order().ToArray();
        return (utilization, Percentile.Of(counted, 0.5), Percentile.Of(counted, 0.99));
    }
}
