namespace Ferry.Kv.Metrics;

/// <summary>vLLM's bucket edges, so that dashboards made for vLLM fit.</summary>
public static class MetricBuckets
{
    /// <summary>Seconds to the first token.</summary>
    public static IReadOnlyList<double> TimeToFirstToken { get; } =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    /// <summary>Seconds between tokens, and per output token.</summary>
    public static IReadOnlyList<double> InterToken { get; } =
        [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    /// <summary>Seconds of whole requests and their phases.</summary>
    public static IReadOnlyList<double> Request { get; } =
        [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    /// <summary>Tokens of one step over all sequences.</summary>
    public static IReadOnlyList<double> StepTokens { get; } = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

    /// <summary>1, 2, 5, 10, … up to <paramref name="limit"/>.</summary>
    public static IReadOnlyList<double> OneTwoFive(int limit)
    {
        var bounds = new List<double>();
        for (long decade = 1; ; decade *= 10)
        {
            foreach (var step in (ReadOnlySpan<int>)[1, 2, 5])
            {
                if (step * decade > limit)
                {
                    return bounds.Count > 0 ? bounds : [1];
                }
                bounds.Add(step * decade);
            }
        }
    }
}
