using System.Net.Http.Headers;
using System.Text;

namespace Ferry.Benchmarks.Router;

/// <summary>Requests of a set length, and the sending of them.</summary>
internal sealed class RouterRequests : IDisposable
{
    private const int Kinds = 32;   // prompts that differ from their first words on, so that a prefix index has something to tell apart

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) });
    private readonly Dictionary<(int Bytes, bool Streams), byte[][]> _bodies = [];
    private int _next;

    /// <summary>Posts one and reads the answer to its end.</summary>
    public async Task SendAsync(Uri target, int promptBytes, bool streams)
    {
        using var message = Message(target, promptBytes, streams);
        using var response = await _http.SendAsync(message, CancellationToken.None);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{target} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
        await response.Content.CopyToAsync(Stream.Null);
    }

    /// <summary>Posts one and reads the answer to its end.</summary>
    /// <param name="requestId">Of all legs of a request that goes to the pods without a proxy; null: none.</param>
    /// <returns>The answer.</returns>
    public async Task<byte[]> AskAsync(Uri target, int promptBytes, string? requestId)
    {
        using var message = Message(target, promptBytes, streams: false);
        if (requestId is not null)
        {
            message.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        }
        using var response = await _http.SendAsync(message, CancellationToken.None);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Makes the bodies of one cell.</summary>
    public void Prepare(int promptBytes, bool streams)
    {
        if (_bodies.ContainsKey((promptBytes, streams)))
        {
            return;
        }
        _bodies[(promptBytes, streams)] = [.. Enumerable.Range(0, Kinds).Select(kind =>
        {
            var text = new StringBuilder($"Conversation {kind}: ");
            while (text.Length < promptBytes)
            {
                text.Append($"line {text.Length} of what was said before, with a break\\n");   // real prompts have escapes
            }
            return Encoding.UTF8.GetBytes($"{{\"stream\":{(streams ? "true" : "false")},\"model\":\"stub\",\"max_tokens\":16,\"temperature\":0,\"prompt\":\"{text}\"}}");
        })];
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Message(Uri target, int promptBytes, bool streams)
    {
        var bodies = _bodies[(promptBytes, streams)];
        var content = new ByteArrayContent(bodies[(uint)Interlocked.Increment(ref _next) % Kinds]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return new HttpRequestMessage(HttpMethod.Post, target) { Content = content };
    }
}
