using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Generation;

/// <summary>The request's id: X-Request-Id, else the body's request_id, else a new one; echoed in X-Request-Id.</summary>
internal static class RequestIds
{
    private const string Header = "X-Request-Id";
    private const int MaxCharacters = 256;

    public static string Resolve(HttpContext context, string? bodyId)
    {
        var id = IsUsable(context.Request.Headers[Header]) ? context.Request.Headers[Header].ToString()
            : IsUsable(bodyId) ? bodyId!
            : Guid.NewGuid().ToString("N");
        context.TraceIdentifier = id;
        context.Response.Headers[Header] = id;
        return id;
    }

    /// <summary>An id goes into headers, logs and keys of other nodes: visible ASCII, and not long.</summary>
    private static bool IsUsable(string? id) =>
        id is { Length: > 0 and <= MaxCharacters } && id.All(character => character is > ' ' and <= '~');
}
