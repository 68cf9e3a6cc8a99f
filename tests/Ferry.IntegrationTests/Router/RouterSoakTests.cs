using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>Nodes die and come back while clients ask: every request has exactly one whole answer. FERRY_SOAK_SECONDS makes it longer (600 by hand).</summary>
public sealed class RouterSoakTests
{
    private const int Clients = 16;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("FERRY_SOAK_SECONDS"), out var seconds) ? seconds : 12);
    private static readonly TimeSpan Interval = Length > TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(20) : TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Nodes_KilledAndRestarted_NoRequestIsLostOrAnsweredTwice()
    {
        FakeVllm[] pods = [await FakeVllm.StartAsync(), await FakeVllm.StartAsync(), await FakeVllm.StartAsync(), await FakeVllm.StartAsync()];
        await using (var router = await RouterFixture.StartAsync(options => options with
        {
            Prefill = [pods[0].Address, pods[1].Address],
            Decode = [pods[2].Address, pods[3].Address],
            Forwarding = options.Forwarding with { RetryPause = TimeSpan.FromMilliseconds(200), DecodeAttempts = 6, PrefillAttempts = 3 },
        }))
        {
            foreach (var pod in pods)
            {
                pod.TokenDelay = TimeSpan.FromMilliseconds(5);
            }
            using var stopping = new CancellationTokenSource(Length);
            var killing = KillAsync(pods, stopping.Token);
            var answers = new ConcurrentDictionary<int, int>();
            var next = 0;
            var cut = 0;
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
            {
                while (!stopping.IsCancellationRequested)
                {
                    var number = Interlocked.Increment(ref next);
                    if (await AskAsync(router.Http, number, streams: client % 2 == 0))
                    {
                        Assert.Equal(1, answers.AddOrUpdate(number, 1, (_, count) => count + 1));
                    }
                    else
                    {
                        Interlocked.Increment(ref cut);
                    }
                }
            }));
            await killing;
            // A stream that had begun at a node that died ends with an error event: that is an answer, and there are few.
            Assert.Equal(next, answers.Count + cut);
            Assert.True(answers.Count > 50 && cut <= next / 10, $"{next} requests, {answers.Count} whole, {cut} cut inside their stream");
            Assert.Equal(0, await router.MetricAsync("ferry_router_in_flight"));
        }
        foreach (var pod in pods)
        {
            await pod.DisposeAsync();
        }
    }

    /// <returns>False: the stream began and was then cut, and said so.</returns>
    private static async Task<bool> AskAsync(HttpClient http, int number, bool streams)
    {
        var body = $"{{\"model\":\"stub\",\"prompt\":\"{number}\",\"max_tokens\":4,\"echo\":false,\"stream\":{(streams ? "true" : "false")}}}";
        using var response = await http.PostAsync("/v1/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"request {number}: {(int)response.StatusCode} {text}");
        if (!streams)
        {
            Assert.Equal(" tok0 tok1 tok2 tok3", JsonNode.Parse(text)!["choices"]![0]!["text"]!.GetValue<string>());
            return true;
        }
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        var tokens = text.Split("\n\n").Count(line => line.Contains("\"choices\"", StringComparison.Ordinal));
        Assert.True(tokens == 4 || text.Contains("\"error\"", StringComparison.Ordinal), text);
        return tokens == 4 && !text.Contains("\"error\"", StringComparison.Ordinal);
    }

    /// <summary>One pod after the other: gone at once, and back on its port a moment later.</summary>
    private static async Task KillAsync(FakeVllm[] pods, CancellationToken cancellationToken)
    {
        for (var round = 0; !cancellationToken.IsCancellationRequested; round++)
        {
            try
            {
                await Task.Delay(Interval, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            var index = round % pods.Length;
            var port = pods[index].Address.Port;
            await pods[index].KillAsync();
            await Task.Delay(Interval / 6, CancellationToken.None);
            pods[index] = await FakeVllm.StartAsync(port: port);
            pods[index].TokenDelay = TimeSpan.FromMilliseconds(5);
        }
    }
}
