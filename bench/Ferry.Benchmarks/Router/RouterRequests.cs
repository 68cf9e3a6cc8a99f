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
        var bodies = _bodies[(promptBytes, streams)];
        using var message = new HttpRequestMessage(HttpMethod.Post, target) { Content = new ByteArrayContent(bodies[(uint)Interlocked.Increment(ref _next) % Kinds]) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await _http.SendAsync(message, CancellationToken.None);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{target} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
        await response.Content.CopyToAsync(Stream.Null);
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
}
