using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Resp;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Fronts;

public sealed class FrontOptionsTests
{
    [Fact]
    public void Validate_Defaults_HaveNoErrors()
    {
        Assert.Empty(new RespFrontOptions { Port = 0 }.Validate());
        Assert.Empty(new LmFrontOptions { Port = 65_432 }.Validate());
    }

    [Fact]
    public void Validate_EverythingWrong_NamesEachWithValueAndLimit()
    {
        var errors = new RespFrontOptions
        {
            Host = " ",
            Port = 70_000,
            ConnectionsMax = 0,
            BufferBytes = 100,
            ValueBytesMax = 0,
            CommandBytesMax = 10,
            TransferBytesPerSecondMin = 0,
            StallTimeout = TimeSpan.Zero,
            IdleTimeout = TimeSpan.Zero,
            Password = "",
            User = "a b",
            TlsCertificatePath = "/nowhere/cert.pem",
        }.Validate();

        Assert.Equal(13, errors.Count);
        Assert.Contains("cache.resp.port is 70000; it must lie in 0..65535.", errors);
        Assert.Contains("cache.resp.tls needs both a certificate and its key: set cache.resp.tlsKeyPath too, or neither.", errors);
        Assert.Contains("cache.resp.tlsCertificatePath is \"/nowhere/cert.pem\"; there is no such file.", errors);
    }

    [Fact]
    public void ToString_WithPassword_DoesNotShowIt() =>
        Assert.DoesNotContain("sesame", new RespFrontOptions { Port = 1, Password = "sesame" }.ToString(), StringComparison.Ordinal);
}
