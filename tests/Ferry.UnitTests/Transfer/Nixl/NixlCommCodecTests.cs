using System.Text.Json;
using CsCheck;
using Ferry.TestKit;
using Ferry.Transfer.Nixl;
using Ferry.Transfer.Nixl.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Transfer.Nixl;

public sealed class NixlCommCodecTests
{
    private static readonly NixlLimits Limits = new();

    [Fact]
    public void Frames_OfEveryKind_HaveNixlsBytes()
    {
        Assert.Equal("0d000000000000004e49584c434f4d4d3a53454e44", Convert.ToHexStringLower(NixlCommCodec.Encode(NixlCommCommand.Send, default)));
        Assert.Equal("0f000000000000004e49584c434f4d4d3a494e564c7030", Convert.ToHexStringLower(NixlCommCodec.Encode(NixlCommCommand.Invalidate, "p0"u8)));
        var recorded = Convert.FromHexString(
            JsonDocument.Parse(File.ReadAllText(RepositoryRoot.At("tests/data/nixl/metadata_1.4.0_tcp.json"))).RootElement.GetProperty("hex").GetString()!);
        Assert.Null(NixlCommCodec.TryRead(recorded, Limits, out var message));
        Assert.Equal(NixlCommCommand.Load, message.Command);
        Assert.Equal(recorded, NixlCommCodec.Encode(NixlCommCommand.Load, message.Body.Span)[NixlCommCodec.LengthBytes..]);
    }

    [Theory]
    [InlineData(0ul, "shorter")]
    [InlineData(12ul, "shorter")]
    [InlineData(ulong.MaxValue, "limit")]
    [InlineData(1ul << 40, "limit")]
    public void Length_OutOfBounds_EndsTheConnectionBeforeAByteIsTaken(ulong length, string reason) =>
        Assert.Contains(reason, NixlCommCodec.TryReadLength(BitConverter.GetBytes(length), Limits, out _), StringComparison.Ordinal);

    [Fact]
    public void Frames_HostileBytes_NeverThrow() =>
        Gen.Select(Gen.Byte.Array[0, 60], Gen.Int[0, 3]).Sample((noise, word) =>
        {
            byte[] frame = [.. word switch { 0 => "NIXLCOMM:SEND"u8, 1 => "NIXLCOMM:LOAD"u8, 2 => "NIXLCOMM:INVL"u8, _ => ""u8 }, .. noise];
            var error = NixlCommCodec.TryRead(frame, Limits, out var message);
            Assert.True(error is not null || message.Body.Length == noise.Length || word == 3);
        }, iter: 5_000);
}
