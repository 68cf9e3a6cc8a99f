using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Disaggregation;

namespace Ferry.IntegrationTests.BadInput;

/// <summary>What a running node is sent by mistake or in malice: a clear answer, and the node goes on.</summary>
public sealed class BadRequestTests(PlainNode plain) : IClassFixture<PlainNode>
{
    private const string Completions = "/v1/completions";

    public static TheoryData<string, string, int, string> Bodies() => new()
    {
        { "not JSON", "{\"model\":", 400, "JSON" },
        { "10,000 nested arrays", $"{{\"prompt\":{new string('[', 10_000)}{new string(']', 10_000)}}}", 400, "" },
        { "no prompt", "{\"model\":\"ferry-tiny\"}", 400, "prompt" },
        { "unknown model", "{\"model\":\"gpt-5\",\"prompt\":\"a\"}", 404, "gpt-5" },
        { "temperature below zero", "{\"model\":\"ferry-tiny\",\"prompt\":\"a\",\"temperature\":-1}", 400, "temperature" },
        { "max_tokens zero", "{\"model\":\"ferry-tiny\",\"prompt\":\"a\",\"max_tokens\":0}", 400, "max_tokens" },
        { "n too large", "{\"model\":\"ferry-tiny\",\"prompt\":\"a\",\"n\":100000}", 400, "n" },
        { "token id out of range", "{\"model\":\"ferry-tiny\",\"prompt\":[1,2,99999999]}", 400, "99999999" },
        { "negative token id", "{\"model\":\"ferry-tiny\",\"prompt\":[-5]}", 400, "-5" },
        { "wrong type", "{\"model\":\"ferry-tiny\",\"prompt\":\"a\",\"max_tokens\":\"many\"}", 400, "max_tokens" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Node_BodyWrong_AnswersWithAClearErrorAndGoesOn(string what, string body, int status, string named)
    {
        using var response = await plain.Node.Http.PostAsync(Completions, new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();

        Assert.True(status == (int)response.StatusCode, $"{what}: {(int)response.StatusCode} {text}");
        Assert.Contains(named, (string)JsonNode.Parse(text)!["error"]!["message"]!, StringComparison.Ordinal);
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Node_PromptTooLong_NamesBothNumbers()
    {
        var prompt = string.Concat(Enumerable.Repeat("Anna has a red ball. ", 2_000));
        var answer = await plain.Node.PostAsync(Completions, new JsonObject { ["model"] = "ferry-tiny", ["prompt"] = prompt });

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        var message = (string)answer.Body["error"]!["message"]!;
        Assert.Contains("2048", message, StringComparison.Ordinal);
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Node_BodyNotUtf8_Answers400()
    {
        using var content = new ByteArrayContent([.. "{\"model\":\"ferry-tiny\",\"prompt\":\""u8, 0xC3, 0x28, 0xFF, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");
        using var response = await plain.Node.Http.PostAsync(Completions, content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Node_ClientsThatSendNothingMore_DoNotKeepOthersOut()
    {
        var slow = new List<TcpClient>();
        for (var i = 0; i < 50; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync(plain.Node.Url.Host, plain.Node.Url.Port);
            await client.GetStream().WriteAsync("POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"u8.ToArray());
            slow.Add(client);
        }
        await AssertAliveAsync();
        slow.ForEach(client => client.Dispose());
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Node_ClientsThatHangUpMidStream_LeaveNothingRunning()
    {
        for (var i = 0; i < 8; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Completions)
            {
                Content = new StringContent(
                    "{\"model\":\"ferry-tiny\",\"prompt\":\"Once\",\"max_tokens\":1500,\"ignore_eos\":true,\"stream\":true}", Encoding.UTF8, "application/json"),
            };
            using var response = await plain.Node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        var started = TimeProvider.System.GetTimestamp();
        while ((await plain.Node.MetricsAsync())["vllm:num_requests_running"] > 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "Requests whose clients are gone still run.");
            await Task.Delay(50);
        }
    }

    private async Task AssertAliveAsync()
    {
        var answer = await plain.Node.PostAsync(Completions, new JsonObject { ["model"] = "ferry-tiny", ["prompt"] = "Anna", ["max_tokens"] = 2 });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }
}
