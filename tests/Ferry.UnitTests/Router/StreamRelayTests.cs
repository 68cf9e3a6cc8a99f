using System.Text;
using CsCheck;
using Ferry.Router.Forwarding;
using Ferry.Router.Metrics;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Ferry.UnitTests.Router;

/// <summary>An event stream, however it is cut into reads.</summary>
public sealed class StreamRelayTests
{
    private const string Whole = ": hello\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\\n\"}}]}\n\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\ndata: [DONE]\n\n";

    [Fact]
    public void Relay_HoweverTheBytesAreCut_GivesThemAllAndMendsTheUsage()
    {
        var mended = Whole.Replace("\"cached_tokens\":4", "\"cached_tokens\":17", StringComparison.Ordinal);
        Gen.Int[1, 40].Array[0, 60].Sample(
            cuts =>
            {
                var (text, end) = Relay(Whole, cuts, handedOver: true, cachedTokens: 17);
                return text == mended && end is { Failure: null, DataEvents: 2 };
            },
            iter: 500);
    }

    [Fact]
    public void Relay_BrokenOffAnywhere_EndsWithOneErrorEventAndDoneAndNoHalfLine() => Gen.Int[1, Whole.Length - "data: [DONE]\n\n".Length].Sample(
        length =>
        {
            var (text, end) = Relay(Whole[..length], [7], handedOver: false, cachedTokens: null, breaks: true);
            var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
            return end.NodeFailed && events[^1] == "data: [DONE]" && events[^2].Contains("The decode node broke off", StringComparison.Ordinal)
                && events.All(one => one.Split('\n').All(line => line.TrimEnd('\r').Length == 0 || line.StartsWith(':') || (line.StartsWith("data: ", StringComparison.Ordinal) && line.TrimEnd('\r')[^1] is '}' or ']')));
        },
        iter: 300);

    [Theory]
    [InlineData("data: {\"choices\":[]}\n\n", "the stream ended without [DONE]")]
    [InlineData("data: {\"error\": {\"message\": \"x\"}}\n\ndata: [DONE]\n\n", "{\"error\": {\"message\": \"x\"}}")]
    [InlineData("data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\ndata: [DONE]\n\n", "{\"choices\":[{\"finish_reason\":\"error\"}]}")]
    public void Relay_FailureInTheStream_IsRecognised(string stream, string failure)
    {
        var (_, end) = Relay(stream, [], handedOver: false, cachedTokens: null);
        Assert.Equal((failure, true), (end.Failure, end.NodeFailed));
    }

    [Fact]
    public void Relay_ResponsesApi_EndsWithoutDone()
    {
        var (text, end) = Relay("event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n", [], handedOver: false, cachedTokens: null);
        Assert.Null(end.Failure);
        Assert.DoesNotContain("DONE", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Relay_LineLongerThanTheLimit_PassesUnseenAndWhole()
    {
        var stream = $"data: {new string('x', 5000)}\n\ndata: [DONE]\n\n";
        var (text, end) = Relay(stream, [100, 1000, 3000], handedOver: true, cachedTokens: 1, maxEventBytes: 1024);
        Assert.Equal((stream, null), (text, end.Failure));
    }

    private static (string Text, StreamEnd End) Relay(string stream, int[] cuts, bool handedOver, int? cachedTokens, bool breaks = false, int maxEventBytes = 1 << 20)
    {
        var context = new DefaultHttpContext();
        using var client = new MemoryStream();
        context.Response.Body = client;
        using var held = new PooledBytes(16);
        using var idle = new IdleTimer(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
        var relay = new StreamRelay(
            new CutStream(Encoding.UTF8.GetBytes(stream), cuts, breaks), held, new SseWatch(), new ForwardingOptions { MaxEventBytes = maxEventBytes }, idle,
            new RelayWatch(new RouterMetrics(), TimeProvider.System, 0), handedOver, cachedTokens);
        var end = relay.RelayAsync(context).GetAwaiter().GetResult();   // memory streams only: it never waits
        return (Encoding.UTF8.GetString(client.ToArray()), end);
    }

    /// <summary>Gives its bytes in pieces of set lengths, then ends or breaks.</summary>
    private sealed class CutStream(byte[] bytes, int[] cuts, bool breaks) : MemoryStream(bytes)
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = Read(buffer.Span[..Math.Min(buffer.Length, cuts.Length > 0 ? cuts[_reads++ % cuts.Length] : int.MaxValue)]);
            return read == 0 && breaks ? throw new IOException("cut") : ValueTask.FromResult(read);
        }
    }
}
