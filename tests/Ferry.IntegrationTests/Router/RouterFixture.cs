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

    /// <summary>The value of one sample of /metrics; 0 when it is not there.</summary>
    public async Task<double> MetricAsync(string sample)
    {
        var line = (await Http.GetStringAsync("/metrics")).Split('\n').FirstOrDefault(line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(sample.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Sends, and returns as soon as the headers are there.</summary>
    public async Task<(HttpResponseMessage Response, StreamReader Reader)> OpenAsync(string path, string json, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (response, new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken)));
    }

    /// <summary>x-ferry-route.</summary>
    public static string Route(HttpResponseMessage response) => response.Headers.GetValues("x-ferry-route").Single();

    /// <summary>x-ferry-kv.</summary>
    public static string Kv(HttpResponseMessage response) => response.Headers.GetValues("x-ferry-kv").Single();

    /// <param name="prepare">Changes the prefill pod before the router sees it.</param>
    /// <param name="change">Changes the options, which name one prefill and one decode pod.</param>
    public static async Task<RouterFixture> StartAsync(Func<RouterOptions, RouterOptions>? change = null, Action<Microsoft.Extensions.Logging.ILoggingBuilder>? logging = null, Action<FakeVllm>? prepare = null)
    {
        var (prefill, decode) = (await FakeVllm.StartAsync(), await FakeVllm.StartAsync());
        prepare?.Invoke(prefill);
        var options = new RouterOptions { Prefill = [prefill.Address], Decode = [decode.Address], Host = "127.0.0.1", Port = 0 };
        return new RouterFixture(await RouterHost.StartAsync(change?.Invoke(options) ?? options, TimeProvider.System, logging ?? (_ => { }), CancellationToken.None), prefill, decode);
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
