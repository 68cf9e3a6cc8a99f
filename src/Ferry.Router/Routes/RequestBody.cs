using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

internal static class RequestBody
{
    /// <exception cref="RouterException">400: no JSON object; 413: too long.</exception>
    public static async Task<JsonBody> ReadAsync(HttpContext context, long maxBytes)
    {
        var mediaType = (context.Request.ContentType ?? "").Split(';', 2)[0].Trim();
        if (!mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw RouterException.BadRequest($"Unsupported Media Type: Only 'application/json' is allowed, not '{mediaType}'.");
        }
        return await BoundedBody.TryReadAsync(context.Request.Body, context.Request.ContentLength, maxBytes, context.RequestAborted) is { } bytes
            ? JsonBody.Parse(bytes)
            : throw new RouterException(413, "RequestEntityTooLargeError", $"The request body is longer than {maxBytes} bytes. Shorten it, or start the router with a larger --max-body-bytes.");
    }
}
