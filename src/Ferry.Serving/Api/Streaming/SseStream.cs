using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ferry.Serving.Api.Errors;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Streaming;

/// <summary>Server-sent events of one answer: <c>data: JSON</c>, an empty line, flushed each; at the end <c>data: [DONE]</c>.</summary>
/// <param name="deadline">Longest wait for the client to take what was written; then the connection is cut.</param>
internal sealed class SseStream(HttpContext context, TimeSpan deadline, TimeProvider clock)
{
    private bool _begun;

    public Task WriteAsync<T>(T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        Append(value, type);
        return FlushAsync(cancellationToken);
    }

    /// <summary>Writes an event that the next flush carries.</summary>
    public void Append<T>(T value, JsonTypeInfo<T> type)
    {
        Begin();
        var body = context.Response.BodyWriter;
        body.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = type.Options.Encoder, SkipValidation = true }))
        {
            JsonSerializer.Serialize(writer, value, type);
        }
        body.Write("\n\n"u8);
    }

    public Task DoneAsync(CancellationToken cancellationToken)
    {
        Begin();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
        return FlushAsync(cancellationToken);
    }

    /// <summary>Ends a stream that failed after its first byte: one error event, then [DONE], as vLLM does.</summary>
    public Task FailAsync(ApiException error, CancellationToken cancellationToken)
    {
        Append(ErrorBody.Of(error), ServingJsonContext.Wire.ErrorBody);
        return DoneAsync(cancellationToken);
    }

    private void Begin()
    {
        if (_begun)
        {
            return;
        }
        _begun = true;
        context.Response.StatusCode = 200;
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";   // nginx would hold events back
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        var flush = context.Response.BodyWriter.FlushAsync(cancellationToken);
        if (flush.IsCompletedSuccessfully)
        {
            return;
        }
        try
        {
            await flush.AsTask().WaitAsync(deadline, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            context.Abort();
            throw new OperationCanceledException("The client takes no bytes.", context.RequestAborted);
        }
    }
}
