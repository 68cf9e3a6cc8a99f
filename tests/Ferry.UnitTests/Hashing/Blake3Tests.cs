using CsCheck;
using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

public sealed class Blake3Tests
{
    /// <summary>BLAKE3's published vectors: bytes 0, 1, … 250, 0, 1, … of the given length.</summary>
    [Theory]
    [InlineData(0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")]
    [InlineData(1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213")]
    [InlineData(1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11")]
    [InlineData(1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7")]
    [InlineData(1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444")]
    [InlineData(2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a")]
    [InlineData(2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030")]
    [InlineData(3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2")]
    [InlineData(3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3")]
    [InlineData(4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969")]
    [InlineData(5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff")]
    [InlineData(7169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817")]
    public void Hash_PublishedInput_GivesThePublishedHash(int byteCount, string expected)
    {
        var input = new byte[byteCount];
        for (var i = 0; i < input.Length; i++)
        {
            input[i] = (byte)(i % 251);
        }
        var vector = new byte[Blake3.HashBytes];
        var portable = new byte[Blake3.HashBytes];

        Blake3.Hash(input, vector);
        Blake3.HashPortable(input, portable);

        Assert.Equal(expected, Convert.ToHexStringLower(vector));
        Assert.Equal(expected, Convert.ToHexStringLower(portable));
    }

    [Fact]
    public void Hash_AnyInput_IsTheSameWithAndWithoutAvx512() =>
        Gen.Byte.Array[0, 9000].Sample(input =>
        {
            var vector = new byte[Blake3.HashBytes];
            var portable = new byte[Blake3.HashBytes];
            Blake3.Hash(input, vector);
            Blake3.HashPortable(input, portable);
            return vector.AsSpan().SequenceEqual(portable);
        }, iter: 200);
}
