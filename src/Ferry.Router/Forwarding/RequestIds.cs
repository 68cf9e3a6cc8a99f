using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>Names requests. What a client sends is kept as a prefix, and made unique: two requests of one name would share KV at the engines.</summary>
internal sealed class RequestIds
{
    public const string Header = "X-Request-Id";

    /// <summary>vLLM puts the id into file and metric names; a longer one helps nobody.</summary>
    private const int MaxCharacters = 200;

    // Random at start, so that two routers that are given one id do not count alike; then by one.
    private uint _next = BitConverter.ToUInt32(Guid.NewGuid().ToByteArray(), 0);

    /// <summary>The id for the nodes; the client's own goes back to it in <paramref name="clientId"/>.</summary>
    public string Next(HttpContext context, out string clientId)
    {
        string? sent = context.Request.Headers[Header];
        if (sent is { Length: > 0 and <= MaxCharacters } && IsVisible(sent))
        {
            clientId = sent;
            return string.Create(null, $"{sent}-{Interlocked.Increment(ref _next):x8}");
        }
        return clientId = Guid.NewGuid().ToString("D");
    }

    private static bool IsVisible(string id)
    {
        foreach (var character in id)
        {
            if (character is <= ' ' or > '~')
            {
                return false;
            }
        }
        return true;
    }
}
