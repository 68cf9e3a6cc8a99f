using Ferry.Cli.Up;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class NodeMetricsTests
{
    [Fact]
    public void Parse_SamplesOfOneName_AreAddedUp()
    {
        var metrics = NodeMetrics.Parse("# TYPE a counter\na{x=\"1\"} 2\na{x=\"b c\"} 3.5\nb 1e3\n\nbroken\nc{ NaNsense\n");
        Assert.Equal(5.5, metrics["a"]);
        Assert.Equal(1000, metrics["b"]);
        Assert.Equal(0, metrics["c"]);
        Assert.Equal(0, metrics["not there"]);
    }
}
