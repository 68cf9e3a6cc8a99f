using System.Text;
using Ferry.Kv.Metrics;
using Xunit;

namespace Ferry.UnitTests.Metrics;

public sealed class MetricRegistryTests
{
    [Fact]
    public void WriteText_AllKinds_IsPrometheusText()
    {
        var registry = new MetricRegistry(("model_name", "a\"b\\c"));
        registry.Counter("vllm:prompt_tokens_total", "Prompt\ntokens.").With().Add(3);
        registry.Gauge("g", "G.", "reason").With("x\ny").Set(0.25);
        var histogram = registry.Histogram("h", "H.", [0.001, 1]).With();
        histogram.Observe(0.001);
        histogram.Observe(0.5);
        histogram.Observe(7);
        Assert.Equal(
            """
            # HELP vllm:prompt_tokens_total Prompt\ntokens.
            # TYPE vllm:prompt_tokens_total counter
            vllm:prompt_tokens_total{model_name="a\"b\\c"} 3.0
            # HELP g G.
            # TYPE g gauge
            g{model_name="a\"b\\c",reason="x\ny"} 0.25
            # HELP h H.
            # TYPE h histogram
            h_bucket{model_name="a\"b\\c",le="0.001"} 1.0
            h_bucket{model_name="a\"b\\c",le="1.0"} 2.0
            h_bucket{model_name="a\"b\\c",le="+Inf"} 3.0
            h_count{model_name="a\"b\\c"} 3.0
            h_sum{model_name="a\"b\\c"} 7.501

            """.ReplaceLineEndings("\n"),
            Text(registry));
    }

    [Fact]
    public void With_MoreLabelsThanTheBound_SharesOneSeries()
    {
        var registry = new MetricRegistry();
        var family = registry.Counter("c_total", "C.", "reason");
        for (var index = 0; index < 3000; index++)
        {
            family.With($"reason {index}").Add();
        }
        var lines = Text(registry).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').ToArray();
        Assert.InRange(lines.Length, 1000, 1030);
        Assert.Contains("c_total{reason=\"other\"} 1976.0", lines);
    }

    [Fact]
    public void OnCollect_BeforeEachText_CopiesOthersFigures()
    {
        var registry = new MetricRegistry();
        var series = registry.Gauge("g", "G.").With();
        var count = 0;
        registry.OnCollect(() => series.Set(++count));
        Assert.Contains("g 1.0", Text(registry), StringComparison.Ordinal);
        Assert.Contains("g 2.0", Text(registry), StringComparison.Ordinal);
    }

    [Fact]
    public void Counter_NameTaken_IsRefused()
    {
        var registry = new MetricRegistry();
        registry.Counter("c_total", "C.");
        Assert.Throws<ArgumentException>(() => registry.Gauge("c_total", "again"));
    }

    [Fact]
    public void OneTwoFive_Limit_EndsAtOrBelowIt() => Assert.Equal([1, 2, 5, 10, 20, 50, 100, 200, 500], MetricBuckets.OneTwoFive(512));

    private static string Text(MetricRegistry registry)
    {
        var text = new StringBuilder();
        registry.WriteText(text);
        return text.ToString();
    }
}
