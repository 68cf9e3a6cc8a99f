using Ferry.Cluster.Planning;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning;

public sealed class SharedLinkTests
{
    [Fact]
    public void Stretch_NobodyElse_IsOne() => Assert.Equal((0.0, 1.0, 1.0), SharedLink.Stretch(0, 1));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Stretch_SameSeed_IsTheSameAndAnotherSeedIsNear(int flows)
    {
        var (one, again, other) = (SharedLink.Stretch(flows, 1), SharedLink.Stretch(flows, 1), SharedLink.Stretch(flows, 2));

        Assert.Equal(one, again);
        Assert.Equal(one.Median, other.Median, 0.15 * one.Median);
        Assert.Equal(one.Tail, other.Tail, 0.25 * one.Tail);
    }

    /// <summary>Mean of M/G/1 with processor sharing: 1 / (1 - u), for any distribution of lengths (Kleinrock 1967).</summary>
    [Fact]
    public void Stretch_OneOtherOnAverage_HasAMedianBelowTheMeanOfTwo()
    {
        var (_, median, tail) = SharedLink.Stretch(1, 3);

        Assert.InRange(median, 1.2, 2.0);
        Assert.InRange(tail, 3.0, 12.0);
    }
}
