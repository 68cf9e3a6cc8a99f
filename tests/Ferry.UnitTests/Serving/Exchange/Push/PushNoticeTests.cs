using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange.Push;

/// <summary>Golden bytes of docs/wire/push.md, and hostile ones.</summary>
public sealed class PushNoticeTests
{
    private const string Written = "01010000" + "efcdab8967452301";
    private const string HandedOver = "01020000" + "0000a00000000000" + "d204000000000000" + "02" + "03" + "0000" + "746370";
    private static readonly HandedOver Report = new(HandoverMode.Push, 10 << 20, TimeSpan.FromMicroseconds(1234), "tcp");

    [Fact]
    public void Encode_EveryKind_HasItsGoldenBytes()
    {
        Assert.Equal(Written, Convert.ToHexStringLower(PushNotice.EncodeWritten(0x0123456789abcdef)));
        Assert.Equal(HandedOver, Convert.ToHexStringLower(PushNotice.Encode(Report)));
    }

    [Fact]
    public void TryRead_GoldenBytes_AreWhatWasWritten()
    {
        Assert.True(PushNotice.TryReadWritten(Convert.FromHexString(Written), out var leaseId));
        Assert.Equal(0x0123456789abcdefUL, leaseId);
        Assert.Equal(Report, PushNotice.TryReadHandedOver(Convert.FromHexString(HandedOver)));
    }

    [Fact]
    public void TryRead_EveryCutAndEveryLongerOne_IsNoNotice()
    {
        foreach (var golden in new[] { Written, HandedOver })
        {
            var bytes = Convert.FromHexString(golden);
            for (var length = 0; length < bytes.Length; length++)
            {
                AssertNone(bytes[..length]);
            }
            AssertNone([.. bytes, 0]);
        }
    }

    [Theory]
    [InlineData("02010000efcdab8967452301")] // another version
    [InlineData("01030000efcdab8967452301")] // another kind
    [InlineData("01010100efcdab8967452301")] // reserved bytes
    [InlineData("010200000000a00000000000d20400000000000004030000746370")] // "auto" is no mode of a hand-over
    [InlineData("010200000000a00000000000d20400000000000000030000746370")]
    [InlineData("010200000000a00000000080d20400000000000002030000746370")] // more bytes than a length can have
    [InlineData("010200000000a00000000000ffffffffffffffff02030000746370")] // longer than a day
    [InlineData("010200000000a00000000000d20400000000000002040000746370")] // a length that is not the name's
    [InlineData("010200000000a00000000000d20400000000000002030000740a70")] // a line feed in a name
    [InlineData("010200000000a00000000000d20400000000000002000000")] // no name
    public void TryRead_ForeignBytes_AreNoNotice(string hex) => AssertNone(Convert.FromHexString(hex));

    private static void AssertNone(byte[] bytes)
    {
        Assert.False(PushNotice.TryReadWritten(bytes, out _));
        Assert.Null(PushNotice.TryReadHandedOver(bytes));
    }
}
