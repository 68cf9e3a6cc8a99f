using System.Text;
using Ferry.Router;
using Ferry.Router.Hosting;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>A router between fake pods.</summary>
internal sealed class RouterFixture : IAsyncDisposable
{
    private readonly RouterHost _host;

    private RouterFixture(RouterHost host, FakeVllm prefill, FakeVllm decode)
    {
        _host = host;
        Prefill = prefill;
        Decode = decode;
        Http = new HttpClient { BaseAddress = host.Address };
    }

    public FakeVllm Prefill { get; }

    public FakeVllm Decode { get; }

    public HttpClient Http { get; }

    public Uri Address => _host.Address;

    /// <param name="change">Changes the options, which name one prefill and one decode pod.</param>
    public static async Task<RouterFixture> StartAsync(Func<RouterOptions, RouterOptions>? change = null)
    {
        var (prefill, decode) = (await FakeVllm.StartAsync(), await FakeVllm.StartAsync());
        var options = new RouterOptions { Prefill = [prefill.Address], Decode = [decode.Address], Host = "127.0.0.1", Port = 0 };
        return new RouterFixture(await RouterHost.StartAsync(change?.Invoke(options) ?? options, TimeProvider.System, _ => { }, CancellationToken.None), prefill, decode);
    }

    /// <summary>An address where nobody listens.</summary>
    public static Uri Nowhere()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return new Uri($"http://127.0.0.1:{port}");
    }

    public async Task<(HttpResponseMessage Response, string Text)> PostAsync(string path, string json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        var response = await Http.SendAsync(request);
        return (response, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _host.DisposeAsync();
        await Prefill.DisposeAsync();
        await Decode.DisposeAsync();
    }
}
