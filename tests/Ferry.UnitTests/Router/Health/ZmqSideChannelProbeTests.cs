using Ferry.Router.Health;
using Xunit;

namespace Ferry.UnitTests.Router.Health;

public sealed class ZmqSideChannelProbeTests
{
    [Fact]
    public void Judge_MetadataBehindOtherMembers_IsAnAnswer()
    {
        byte[] wrapped = [0x82, 0xb2, .. "compatibility_hash"u8, 0xa1, (byte)'h', 0xb4, .. "agent_metadata_bytes"u8, 0xc4, 0];
        byte[] bare = [0x82, 0xa1, (byte)'x', 0x92, 0x81, 0x01, 0x02, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 0xa9, .. "engine_id"u8, 0xa1, (byte)'e'];
        Assert.Null(ZmqSideChannelProbe.Judge(wrapped));
        Assert.Null(ZmqSideChannelProbe.Judge(bare));
    }

    [Theory]
    [InlineData("81a17801", "a reply without metadata")]
    [InlineData("", "a reply that is no handshake")]
    [InlineData("82a178c1", "a reply that is no handshake")]
    [InlineData("df7fffffffa178", "a reply that is no handshake")]
    public void Judge_SomethingElse_SaysSo(string hex, string said) =>
        Assert.StartsWith(said, ZmqSideChannelProbe.Judge(Convert.FromHexString(hex)), StringComparison.Ordinal);

    [Fact]
    public void Judge_NestingWithoutEnd_IsARefusalAndNotTheEndOfTheProcess()
    {
        byte[] nested = [0x81, 0xa1, (byte)'x', .. Enumerable.Repeat((byte)0x91, 1 << 20)];
        Assert.StartsWith("a reply that is no handshake", ZmqSideChannelProbe.Judge(nested), StringComparison.Ordinal);
    }
}
