using System.Net;
using System.Net.Http.Headers;
using Ferry.TestKit;

namespace Ferry.Benchmarks.Router;

/// <summary>Memory of streams that are open and silent.</summary>
internal static class IdleStreams
{
    /// <summary>Two descriptors a stream in the router; a process may have 20,000 on many machines.</summary>
    private const int PlainStreams = 9_500;

    /// <summary>The streams of a client share few connections: one descriptor a stream.</summary>
    private const int SharedStreams = 10_000;

    private const int AtOnce = 200;

    public static async Task RunAsync()
    {
        using (var systems = await RouterSystems.StartAsync(Pods, "ferry route"))
        {
            await MeasureAsync(systems.All[0], HttpVersion.Version11, PlainStreams, new SocketsHttpHandler { UseProxy = false });
        }
        using var files = new TlsFiles();
        using var secure = await RouterSystems.StartAsync(Pods, files, "ferry route");
        await MeasureAsync(secure.All[0], HttpVersion.Version20, SharedStreams, new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true, SslOptions = files.ForClient() });
    }

    private static int[] Pods => [256, 16, 0, 0, 0, 1, 0];

    private static async Task MeasureAsync(RouterSystems.One router, Version version, int streams, SocketsHttpHandler handler)
    {
        var before = router.Process.Rss();
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var places = new SemaphoreSlim(AtOnce);
        var open = await Task.WhenAll(Enumerable.Range(0, streams).Select(async index =>
        {
            await places.WaitAsync();
            try
            {
                using var message = new HttpRequestMessage(HttpMethod.Post, router.Address)
                {
                    Version = version,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                    Content = new StringContent($"{{\"stream\":true,\"model\":\"stub\",\"max_tokens\":16,\"prompt\":\"{index}{new string('x', 1000)}\"}}", MediaTypeHeaderValue.Parse("application/json")),
                };
                var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
                response.EnsureSuccessStatusCode();
                var stream = await response.Content.ReadAsStreamAsync();
                var first = new byte[512];
                return await stream.ReadAsync(first) > 0 ? response : throw new InvalidOperationException($"Stream {index} ended.");
            }
            finally
            {
                places.Release();
            }
        }));
        await Task.Delay(TimeSpan.FromSeconds(3));
        var after = router.Process.Rss();
        var each = (after - before) / (double)streams;
        Console.WriteLine($"{streams} open, silent streams over HTTP/{version}{(router.Address.Scheme == Uri.UriSchemeHttps ? " with TLS" : "")}: {after / 1048576.0:F0} MiB resident ({before / 1048576.0:F0} MiB before), {each / 1024:F1} KiB a stream; 10,000 take {(before + (each * 10_000)) / 1048576:F0} MiB (bar 1024).");
        Console.WriteLine();
        foreach (var response in open)
        {
            response.Dispose();
        }
    }
}
