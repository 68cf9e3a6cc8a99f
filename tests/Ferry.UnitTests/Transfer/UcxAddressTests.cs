using Ferry.Kv.Ucx;
using Ferry.Transfer.Ucx;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class UcxAddressTests
{
    private static readonly UcxAddress Address = new(new UcxVersion(1, 13), 0x1122334455667788, ((UInt128)2 << 64) + 1, new byte[] { 7 }, new byte[] { 8, 9 });

    // form, reserved, 1.13, probe address, token, key, worker address
    private const string Golden = "0100" + "01000d00" + "8877665544332211" + "0100000000000000" + "0200000000000000" + "0100" + "07" + "0200" + "0809";

    [Fact]
    public void Encode_Address_IsItsGoldenBytes() => Assert.Equal(Golden, Convert.ToHexStringLower(Address.TryEncode()!));

    [Fact]
    public void Decode_GoldenBytes_IsTheAddress()
    {
        var decoded = UcxAddress.Decode(Convert.FromHexString(Golden))!;
        Assert.Equal((Address.Version, Address.ProbeAddress, Address.ProbeToken), (decoded.Version, decoded.ProbeAddress, decoded.ProbeToken));
        Assert.Equal(Address.ProbeKey.ToArray(), decoded.ProbeKey.ToArray());
        Assert.Equal(Address.Worker.ToArray(), decoded.Worker.ToArray());
    }

    [Fact]
    public void Decode_AnyPrefixOrLongerBytes_IsNone()
    {
        var bytes = Convert.FromHexString(Golden);
        for (var count = 0; count < bytes.Length; count++)
        {
            Assert.Null(UcxAddress.Decode(bytes.AsSpan(0, count)));
        }
        Assert.Null(UcxAddress.Decode([.. bytes, 0]));
        Assert.Null(UcxAddress.Decode([2, .. bytes[1..]]));
    }

    [Fact]
    public void Encode_LongerThanTheHandshakeTakes_IsNone() => Assert.Null((Address with { Worker = new byte[4096] }).TryEncode());
}
