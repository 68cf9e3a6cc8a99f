using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>Hands a node's answer on: bytes as they are, each read flushed at once.</summary>
internal static class ResponseRelay
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>Relays the body. Returns null, or why the node broke off.</summary>
    /// <remarks>Broken off inside an event stream, the client gets an error event and [DONE]; inside anything else the connection is cut, so that nobody takes half an answer for a whole one.</remarks>
    public static async Task<string?> RelayAsync(HttpResponseMessage response, HttpContext context)
    {
        await using var source = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        var client = context.Response.Body;
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var buffer = new byte[BufferBytes];
        var tail = new SseTail();
        while (true)
        {
            int read;
            try
            {
                read = await source.ReadAsync(buffer, context.RequestAborted);
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException && !context.RequestAborted.IsCancellationRequested)
            {
                await EndBrokenAsync(context, isStream, tail, exception.Message);
                return exception.Message;
            }
            if (read == 0)
            {
                // vLLM ends every stream with [DONE]; one that ends without was cut between two events.
                if (isStream && !tail.EndsWithDone)
                {
                    await EndBrokenAsync(context, isStream, tail, "the stream ended without [DONE]");
                    return "the stream ended without [DONE]";
                }
                return null;
            }
            tail.Append(buffer.AsSpan(0, read));
            await client.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await client.FlushAsync(context.RequestAborted);
        }
    }

    private static async Task EndBrokenAsync(HttpContext context, bool isStream, SseTail tail, string reason)
    {
        if (!isStream)
        {
            context.Abort();
            return;
        }
        await context.Response.Body.WriteAsync(RouterError.Event($"The decode node broke off: {reason}", tail.IsAtEventEnd), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
