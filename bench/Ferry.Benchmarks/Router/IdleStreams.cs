namespace Ferry.Benchmarks.Router;

/// <summary>Memory of streams that are open and silent.</summary>
internal static class IdleStreams
{
    /// <summary>Two descriptors a stream in the router; a process may have 20,000 on many machines.</summary>
    private const int Streams = 9_500;
    private const int AtOnce = 200;

    public static async Task RunAsync()
    {
        using var systems = await RouterSystems.StartAsync([256, 16, 0, 0, 0, 1, 0], "ferry route");
        var router = systems.All[0];
        var before = router.Process.Rss();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        using var places = new SemaphoreSlim(AtOnce);
        var open = await Task.WhenAll(Enumerable.Range(0, Streams).Select(async index =>
        {
            await places.WaitAsync();
            try
            {
                using var message = new HttpRequestMessage(HttpMethod.Post, router.Address)
                {
                    Content = new StringContent($"{{\"stream\":true,\"model\":\"stub\",\"max_tokens\":16,\"prompt\":\"{index}{new string('x', 1000)}\"}}", System.Text.Encoding.UTF8, "application/json"),
                };
                var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
                response.EnsureSuccessStatusCode();
                var stream = await response.Content.ReadAsStreamAsync();
                var first = new byte[512];
                _ = await stream.ReadAsync(first);
                return response;
            }
            finally
            {
                places.Release();
            }
        }));
        await Task.Delay(TimeSpan.FromSeconds(3));
        var after = router.Process.Rss();
        var each = (after - before) / (double)Streams;
        Console.WriteLine($"{Streams} open, silent streams over plain HTTP/1.1: {after / 1048576.0:F0} MiB resident ({before / 1048576.0:F0} MiB before), {each / 1024:F1} KiB a stream; 10,000 would take {(before + (each * 10_000)) / 1048576:F0} MiB (bar 1024).");
        Console.WriteLine();
        foreach (var response in open)
        {
            response.Dispose();
        }
    }
}
