using Ferry.Cluster.Reading;
using Xunit;

namespace Ferry.UnitTests.Cluster.Reading;

public sealed class RateTextTests
{
    [Theory]
    [InlineData("50GB/s", 50_000_000_000)]
    [InlineData("50 GB/s", 50_000_000_000)]
    [InlineData("400Gbit/s", 50_000_000_000)]
    [InlineData("400Gb/s", 50_000_000_000)]
    [InlineData("100Gbps", 12_500_000_000)]
    [InlineData("1GiB/s", 1 << 30)]
    [InlineData("1000000", 1_000_000)]
    public void TryParse_RateAsPeopleWriteIt_IsBytesASecond(string text, long expected)
    {
        Assert.True(RateText.TryParse(text, out var rate));
        Assert.Equal(expected, rate);
    }

    [Theory]
    [InlineData("")]
    [InlineData("fast")]
    [InlineData("-1GB/s")]
    [InlineData("1GB/h")]
    [InlineData("bit")]
    [InlineData("99999999999999999999TB/s")]
    public void TryParse_NoRate_IsRefused(string text) => Assert.False(RateText.TryParse(text, out _));

    [Fact]
    public void Format_Rate_IsInPowersOfThousand() =>
        Assert.Equal(("4.51 GB/s", "5.3 TB/s", "12 B/s"), (RateText.Format(4.512e9), RateText.Format(5.3e12), RateText.Format(12)));
}
