using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Options;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api;

/// <summary>Reads bounded JSON bodies and writes JSON answers.</summary>
internal static class ServingJson
{
    private const int FirstBufferBytes = 16 * 1024;

    /// <exception cref="ApiException">No JSON content type, or bytes that are no UTF-8.</exception>
    /// <exception cref="JsonException">Not JSON, nested too deeply, or a field of the wrong type.</exception>
    /// <exception cref="BadHttpRequestException">Longer than the server's limit (413), or the client was too slow (408).</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, ApiOptions limits)
    {
        CheckContentType(context.Request);
        var (buffer, byteCount) = await ReadBodyAsync(context, limits.MaxBodyBytes);
        try
        {
            return Parse(buffer.AsSpan(0, byteCount), type);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    internal static T Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
    {
        if (!Utf8.IsValid(body))
        {
            throw ApiException.BadRequest("The request body is not valid UTF-8.");
        }
        return JsonSerializer.Deserialize(body, type) ?? throw ApiException.BadRequest("The request body must be a JSON object, not null.");
    }

    private static void CheckContentType(HttpRequest request)
    {
        var mediaType = (request.ContentType ?? "").Split(';', 2)[0].Trim();
        if (!mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw ApiException.BadRequest($"Unsupported Media Type: Only 'application/json' is allowed, not '{mediaType}'.");
        }
    }

    /// <summary>The whole body in a rented array.</summary>
    private static async Task<(byte[] Buffer, int ByteCount)> ReadBodyAsync(HttpContext context, long maxBytes)
    {
        var announced = context.Request.ContentLength ?? 0;
        if (announced > maxBytes)
        {
            throw TooLong(maxBytes);
        }
        // One byte more than announced: the read that finds the end needs room, too.
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(FirstBufferBytes, announced + 1));
        var byteCount = 0;
        try
        {
            while (true)
            {
                var read = await context.Request.Body.ReadAsync(buffer.AsMemory(byteCount), context.RequestAborted);
                if (read == 0)
                {
                    return (buffer, byteCount);
                }
                byteCount += read;
                if (byteCount > maxBytes)
                {
                    throw TooLong(maxBytes);
                }
                if (byteCount == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.AsSpan(0, byteCount).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    private static ApiException TooLong(long maxBytes) =>
        new(413, "RequestEntityTooLargeError", $"The request body is longer than {maxBytes} bytes. Shorten it, or start the node with a larger --max-body-bytes.");
}
