using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>Names requests. What a client sends is kept as a prefix, and made unique: two requests of one name would share KV at the engines.</summary>
internal sealed class RequestIds
{
    public const string Header = "X-Request-Id";

    /// <summary>vLLM puts the id into file and metric names; a longer one helps nobody.</summary>
    private const int MaxCharacters = 200;

    // Random at start, so that two routers do not count alike; then by one. A new GUID for each request would be a read of /dev/urandom for each.
    private readonly ulong _router = RandomStart();
    private ulong _next = RandomStart();

    /// <summary>The id for the nodes; the client's own goes back to it in <paramref name="clientId"/>.</summary>
    public string Next(HttpContext context, out string clientId)
    {
        string? sent = context.Request.Headers[Header];
        if (sent is { Length: > 0 and <= MaxCharacters } && IsVisible(sent))
        {
            clientId = sent;
            return string.Create(null, $"{sent}-{(uint)Interlocked.Increment(ref _next):x8}");
        }
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(id, _router);
        BinaryPrimitives.WriteUInt64BigEndian(id[8..], Interlocked.Increment(ref _next));
        return clientId = new Guid(id, bigEndian: true).ToString("D");
    }

    private static ulong RandomStart() => BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8));

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
