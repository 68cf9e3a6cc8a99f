using System.Net;
using System.Text;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Router;

/// <summary>Clients that share one connection: over TLS the router speaks HTTP/2 as well, while its legs stay what engines speak.</summary>
public sealed class RouterHttp2Tests : IDisposable
{
    private const string Stream = """{"model":"stub","prompt":"Hello world","max_tokens":4,"stream":true}""";

    private readonly TlsFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Streams_OfOneConnection_EachCarriesWhatTheOldVersionDoes()
    {
        await using var router = await StartAsync();
        using var http = Client(router);
        var old = await ReadAsync(http, HttpVersion.Version11);
        foreach (var text in await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ReadAsync(http, HttpVersion.Version20))))
        {
            Assert.Equal(old, text);
        }
        Assert.EndsWith("data: [DONE]\n\n", old, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_EndsOneStream_ItsLegIsCancelledAndTheOthersGoOn()
    {
        await using var router = await StartAsync();
        router.Decode.StreamGate = new TaskCompletionSource();
        using var http = Client(router);
        var (left, right) = (await OpenAsync(http, HttpVersion.Version20), await OpenAsync(http, HttpVersion.Version20));
        await Eventually.HoldsAsync(() => router.Decode.InFlight == 2);
        left.Dispose();
        await router.Decode.ClientGone.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Eventually.HoldsAsync(() => router.Decode.InFlight == 1);
        router.Decode.StreamGate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await right.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private Task<RouterFixture> StartAsync() => RouterFixture.StartAsync(options => options with
    {
        Forwarding = options.Forwarding with { Tls = new() { CertificateFile = _files.CertificatePath, KeyFile = _files.KeyPath } },
    });

    private HttpClient Client(RouterFixture router) => new(new SocketsHttpHandler { SslOptions = _files.ForClient() }) { BaseAddress = new Uri($"https://127.0.0.1:{router.Address.Port}") };

    private static async Task<HttpResponseMessage> OpenAsync(HttpClient http, Version version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StringContent(Stream, Encoding.UTF8, "application/json"),
        };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, version), (response.StatusCode, response.Version));
        return response;
    }

    private static async Task<string> ReadAsync(HttpClient http, Version version)
    {
        using var response = await OpenAsync(http, version);
        var id = response.Headers.GetValues("X-Request-Id").Single();
        return (await response.Content.ReadAsStringAsync()).Replace(id, "ID", StringComparison.Ordinal);
    }
}
