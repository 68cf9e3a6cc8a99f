using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

internal static class RequestBytes
{
    /// <summary>The whole body; the caller disposes it.</summary>
    /// <exception cref="RouterException">400: no JSON; 413: too long.</exception>
    public static async ValueTask<PooledBytes> ReadAsync(HttpContext context, long maxBytes)
    {
        if (!IsJson(context.Request.ContentType))
        {
            throw RouterException.BadRequest($"Unsupported Media Type: Only 'application/json' is allowed, not '{context.Request.ContentType ?? ""}'.");
        }
        return await BoundedBody.TryReadAsync(context.Request.BodyReader, context.Request.ContentLength, maxBytes, context.RequestAborted)
            ?? throw new RouterException(413, "RequestEntityTooLargeError", $"The request body is longer than {maxBytes} bytes. Shorten it, or start the router with a larger --max-body-bytes.");
    }

    public static bool IsJson(string? contentType)
    {
        var mediaType = contentType.AsSpan();
        var end = mediaType.IndexOf(';');
        return (end < 0 ? mediaType : mediaType[..end]).Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }
}
