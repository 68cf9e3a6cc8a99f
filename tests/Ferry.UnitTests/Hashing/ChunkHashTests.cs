using CsCheck;
using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

public sealed class ChunkHashTests
{
    [Fact]
    public void TryParse_PrintedHash_ReadsBackTheSameBytes() =>
        Gen.Byte.Array[1, 32].Sample(bytes => ChunkHash.TryParse(new ChunkHash(bytes).ToString()) is { } hash && hash.ToArray().AsSpan().SequenceEqual(bytes));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("abc")]
    [InlineData("zz")]
    [InlineData("-1")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000000")]
    public void TryParse_NotAHash_IsNull(string text) => Assert.Null(ChunkHash.TryParse(text));
}
