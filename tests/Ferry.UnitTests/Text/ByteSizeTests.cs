using Ferry.Kv.Text;
using Xunit;

namespace Ferry.UnitTests.Text;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("4 gib", 4L << 30)]
    [InlineData("500MB", 500_000_000L)]
    [InlineData("1.5KiB", 1536L)]
    [InlineData("20.0", 20L << 30)]
    [InlineData("0", 0L)]
    [InlineData("1TB", 1_000_000_000_000L)]
    public void TryParse_SizesOfPeople_AreBytes(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, 1L << 30, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("4G")]
    [InlineData("-4GiB")]
    [InlineData("4GiBs")]
    [InlineData("1.2.3MiB")]
    [InlineData("99999999999TiB")]
    public void TryParse_WhatIsNoSize_IsRefused(string text) => Assert.False(ByteSize.TryParse(text, 1, out _));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(4L << 30, "4 GiB")]
    [InlineData(1234567, "1.18 MiB")]
    public void Format_Bytes_UsesTheLargestUnit(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
