using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Serving.Options;

namespace Ferry.IntegrationTests.Serving;

/// <summary>Bytes that no client library would send; after each, the node still answers.</summary>
public sealed class HostileInputTests
{
    [Fact]
    public async Task Post_TenThousandNestedArrays_Is400()
    {
        await using var node = await ServeFixture.StartAsync();
        var nested = new string('[', 10_000) + new string(']', 10_000);
        foreach (var body in (string[])[nested, $"{{\"prompt\":{nested}}}", $"{{\"unknown\":{nested},\"prompt\":\"x\"}}"])
        {
            ServeFixture.AssertError(await node.PostAsync("/v1/completions", body), HttpStatusCode.BadRequest, "BadRequestError", "The request body is not what this endpoint reads");
        }
        await AssertAnswersAsync(node);
    }

    [Fact]
    public async Task Post_BytesThatAreNoUtf8_Is400()
    {
        await using var node = await ServeFixture.StartAsync();
        var answer = await RawAsync(node.Address, "/v1/completions", [.. "{\"prompt\":\""u8, 0xC3, 0x28, 0xFF, .. "\"}"u8]);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("not valid UTF-8", answer, StringComparison.Ordinal);
        await AssertAnswersAsync(node);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"prompt\":")]
    [InlineData("{\"prompt\":\"\\ud800\"} trailing")]
    public async Task Post_NoJsonObject_Is400(string body)
    {
        await using var node = await ServeFixture.StartAsync();
        Assert.StartsWith("HTTP/1.1 400", await RawAsync(node.Address, "/v1/completions", Encoding.UTF8.GetBytes(body)), StringComparison.Ordinal);
        await AssertAnswersAsync(node);
    }

    [Fact]
    public async Task Post_OtherContentType_Is400()
    {
        await using var node = await ServeFixture.StartAsync();
        using var response = await node.Http.PostAsync("/v1/completions", new StringContent("{}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("Only 'application/json' is allowed", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_BodyOverTheLimit_Is413()
    {
        await using var node = await ServeFixture.StartAsync(new ApiOptions { MaxBodyBytes = 4096 });
        var answer = await RawAsync(node.Address, "/v1/completions", Encoding.UTF8.GetBytes($"{{\"prompt\":\"{new string('a', 5000)}\"}}"));
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        await AssertAnswersAsync(node);
    }

    [Fact]
    public async Task Request_CutInsideItsBody_LeavesTheNodeAnswering()
    {
        await using var node = await ServeFixture.StartAsync();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, node.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"prompt\":"));
        }
        await AssertAnswersAsync(node);
        Assert.Single(node.Engine.Requests);
    }

    [Fact]
    public async Task Stream_ClientThatReadsNothing_IsAbortedAtTheDeadline()
    {
        await using var node = await ServeFixture.StartAsync(new ApiOptions { WriteDeadline = TimeSpan.FromMilliseconds(300) }, engine: new Ferry.TestKit.Serving.ScriptedEngine(maxModelLen: 100_000) { Reply = new string('x', 90_000) });
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, node.Address.Port);
        var body = """{"prompt":"x","stream":true,"max_tokens":90000,"logprobs":20}""";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        while (node.Engine.Requests.Count == 0 || node.Engine.InFlight > 0)
        {
            await Task.Yield();
        }
        await AssertAnswersAsync(node);
    }

    private static async Task<string> RawAsync(Uri address, string path, byte[] body)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"));
        await stream.WriteAsync(body);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    private static async Task AssertAnswersAsync(ServeFixture node) =>
        Assert.Equal(HttpStatusCode.OK, (await node.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""")).Response.StatusCode);
}
