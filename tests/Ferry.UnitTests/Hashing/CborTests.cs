using System.Buffers.Binary;
using CsCheck;
using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

public sealed class CborTests
{
    [Fact]
    public void WriteTokens_AnyIntegers_AreTheShortestHeadsInOrder() =>
        Gen.Int[0, 63].SelectMany(bits => Gen.Long.Select(value => value >> bits)).Array[0, 300].Sample(tokens =>
        {
            var cbor = new byte[Cbor.TokenBytes<long>(tokens.Length)];
            var written = Cbor.WriteTokens<long>(cbor, tokens);
            return cbor.AsSpan(0, written).SequenceEqual([.. Head(0x80, (ulong)tokens.Length),
                .. tokens.SelectMany(token => token >= 0 ? Head(0, (ulong)token) : Head(0x20, (ulong)~token))]);
        });

    [Fact]
    public void WriteTokens_AnyInts_FitTheRoomThatTokenBytesNames() =>
        Gen.Int.Array[0, 300].Sample(tokens => Cbor.WriteTokens<int>(new byte[Cbor.TokenBytes<int>(tokens.Length)], tokens) > tokens.Length);

    [Theory]
    [InlineData("", "60")]
    [InlineData("0", "6130")]
    [InlineData("grüße", "67 6772c3bcc39f65")]
    public void WriteText_AnyText_IsUtf8BehindItsByteCount(string text, string expected)
    {
        var cbor = new byte[32];

        var written = Cbor.WriteText(cbor, text);

        Assert.Equal(expected.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(cbor.AsSpan(0, written)));
    }

    /// <summary>RFC 8949, written for clarity: the reference that the fast writer is held to.</summary>
    private static byte[] Head(byte type, ulong value)
    {
        if (value < 24)
        {
            return [(byte)(type | (byte)value)];
        }
        var log = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFF_FFFF ? 2 : 3;
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return [(byte)(type | (24 + log)), .. bytes.AsSpan(8 - (1 << log))];
    }
}
