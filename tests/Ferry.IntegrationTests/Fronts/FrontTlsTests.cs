using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ferry.Cache.Remote.Resp;
using Ferry.TestKit;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

public sealed class FrontTlsTests : IDisposable
{
    private readonly TlsFiles _files = new();

    private RespFrontOptions Options => new() { Port = 0, TlsCertificatePath = _files.CertificatePath, TlsKeyPath = _files.KeyPath };

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Client_OverTls_StoresAndGetsALongValue()
    {
        await using var host = await FrontHost.StartAsync(Options);
        using var client = new TcpClient();
        await client.ConnectAsync(host.Resp.Endpoint);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(_files.ForClient());
        var value = new byte[3_000_000];
        new Random(1).NextBytes(value);
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${value.Length}\r\n"));
        await tls.WriteAsync(value);
        await tls.WriteAsync(Encoding.Latin1.GetBytes("\r\n" + Of("GET", "k")));
        var expected = $"+OK\r\n${value.Length}\r\n{Encoding.Latin1.GetString(value)}\r\n";
        var answer = new byte[expected.Length];
        await tls.ReadExactlyAsync(answer);
        Assert.Equal(expected, Encoding.Latin1.GetString(answer));
        await tls.ShutdownAsync();
    }

    [Fact]
    public async Task Client_WithoutTls_IsTurnedAway()
    {
        await using var host = await FrontHost.StartAsync(Options);
        using var client = host.ConnectResp();
        await client.SendAsync(Of("PING") + Of("PING"));
        Assert.DoesNotContain("PONG", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 0);
    }

    [Fact]
    public async Task Client_SilentInTheHandshake_IsClosed()
    {
        await using var host = await FrontHost.StartAsync(Options);
        using var client = host.ConnectResp();
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 1);
        var end = client.ReadToEndAsync();
        while (!end.IsCompleted)
        {
            host.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 0);
    }

    [Fact]
    public async Task Start_WithAKeyThatIsNotTheCertificates_SaysWhich()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(Options.TlsKeyPath!, other.ExportPkcs8PrivateKeyPem());
        var error = await Assert.ThrowsAsync<IOException>(() => FrontHost.StartAsync(Options));
        Assert.StartsWith($"cache.resp: certificate {Options.TlsCertificatePath} with key {Options.TlsKeyPath} cannot be used", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnATakenPort_SaysSo()
    {
        await using var host = await FrontHost.StartAsync();
        var error = await Assert.ThrowsAsync<IOException>(() => FrontHost.StartAsync(new RespFrontOptions { Port = ((IPEndPoint)host.Resp.Endpoint).Port }));
        Assert.StartsWith("cache.resp: cannot listen on 127.0.0.1:", error.Message, StringComparison.Ordinal);
    }
}
