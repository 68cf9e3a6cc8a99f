using Ferry.Kv.Text;
using Xunit;

namespace Ferry.UnitTests.Text;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["max-model-len", "max-num-seqs", "block-size", "port", "host"];

    [Theory]
    [InlineData("max-model-length", "max-model-len")]
    [InlineData("max_num_seqs", "max-num-seqs")]
    [InlineData("Block-Size", "block-size")]
    [InlineData("prot", "port")]
    [InlineData("blocksize", "block-size")]
    [InlineData("temperature", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void Find_Name_IsTheNearestOrNone(string name, string? expected) => Assert.Equal(expected, NearestName.Find(name, Known));

    [Fact]
    public void Find_EnormousName_IsNoneAtOnce() => Assert.Null(NearestName.Find(new string('m', 10_000_000), Known));
}
