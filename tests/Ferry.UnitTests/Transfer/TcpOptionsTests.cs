using Ferry.Transfer;
using Ferry.Transfer.Tcp;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class TcpOptionsTests
{
    [Theory]
    [InlineData("10.0.0.1:5600", "10.0.0.1", 5600)]
    [InlineData("node-a:1", "node-a", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    public void Endpoint_HostAndPort_RoundTrips(string text, string host, int port)
    {
        var endpoint = TcpEndpoint.TryParse(text);
        Assert.Equal(new TcpEndpoint(host, port), endpoint);
        Assert.Equal(text, endpoint!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":5600")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("host: 1")]
    [InlineData("::1:5600")]
    [InlineData("[]:5600")]
    public void Endpoint_AnythingElse_IsNull(string text) => Assert.Null(TcpEndpoint.TryParse(text));

    [Fact]
    public void Validate_ManyMistakes_NamesEachWithValueAndLimit()
    {
        var errors = new TcpAgentOptions
        {
            EngineId = "",
            Port = 70_000,
            SharedSecret = "short",
            StreamsPerPeer = 0,
            IdleTimeout = TimeSpan.FromSeconds(1),
            Transfers = new TransferLimits { SegmentBytes = 1 },
        }.Validate();

        Assert.Equal(6, errors.Count);
        foreach (var word in new[] { "EngineId has 0 bytes", "Port is 70000", "SharedSecret has 5 bytes", "StreamsPerPeer is 0", "IdleTimeout is 00:00:01", "SegmentBytes is 1" })
        {
            Assert.Contains(errors, error => error.Contains(word, StringComparison.Ordinal));
        }
        Assert.Empty(new TcpAgentOptions { EngineId = "d" }.Validate());
    }
}
