using System.IO.Hashing;
using CsCheck;
using Ferry.Kv.Records;
using Xunit;

namespace Ferry.UnitTests.Records;

/// <summary>Against System.IO.Hashing's XXH3-128, which is another implementation where the processor has wide vectors.</summary>
public sealed class RecordChecksumTests
{
    /// <summary>Around every border of XXH3: short forms, stripes of 64 bytes, blocks of 1024.</summary>
    private static readonly Gen<int> Length = Gen.OneOf(Gen.Int[0, 260], Gen.Int[0, 9000], Gen.Int[0, 140].Select(stripe => stripe * 64), Gen.Int[1, 9].Select(block => (block * 1024) + 1));

    [Fact]
    public void Of_AnyLength_IsXxh3() => Gen.Select(Length, Gen.Int).Sample((length, seed) =>
    {
        var bytes = Bytes(length, seed);
        Assert.Equal(XxHash128.HashToUInt128(bytes), RecordChecksum.Of(bytes));
    });

    [Fact]
    public void Advance_InAnyPieces_IsXxh3OfTheWhole() => Gen.Select(Length, Gen.Int[0, 3000].Array[0, 12], Gen.Int).Sample((length, pieces, seed) =>
    {
        var bytes = Bytes(length, seed);
        var checksum = new RecordChecksum();
        var arrived = 0;
        foreach (var piece in pieces)
        {
            arrived = Math.Min(length, arrived + piece);
            checksum.Advance(bytes.AsSpan(0, arrived));
        }
        checksum.Advance(bytes);
        Assert.Equal(XxHash128.HashToUInt128(bytes), checksum.End(bytes));
        Assert.Equal(XxHash128.HashToUInt128(bytes), checksum.End(bytes)); // Asking changes nothing.
    });

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
