using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Merges event streams: each event gets its prompt's index, usage is summed into one event, and [DONE] comes once.</summary>
internal sealed class MergedStream(HttpContext context, string id) : IMergedAnswer
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly MergedUsage _usage = new();
    private JsonObject? _usageEvent;

    public async Task TakeAsync(int promptIndex, Stream answer, CancellationToken cancellationToken)
    {
        var isDone = false;
        await foreach (var item in SseParser.Create(answer).EnumerateAsync(cancellationToken))
        {
            if (item.Data == "[DONE]")
            {
                isDone = true;
                continue;
            }
            if (JsonNode.Parse(item.Data) is not JsonObject chunk)
            {
                throw new JsonException("An event is no JSON object.");
            }
            if (chunk.ContainsKey("error"))
            {
                throw new NodeAnswerException(500, Encoding.UTF8.GetBytes(item.Data));
            }
            await TakeEventAsync(promptIndex, chunk, cancellationToken);
        }
        if (!isDone)
        {
            throw new IOException("The stream ended without [DONE].");
        }
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_usageEvent is { } last)
        {
            last["id"] = id;
            last["usage"] = _usage.ToJson();
            await WriteAsync($"data: {last.ToJsonString()}\n\n", cancellationToken);
        }
        await WriteAsync("data: [DONE]\n\n", cancellationToken);
    }

    public async Task FailAsync(int status, string contentType, ReadOnlyMemory<byte> error, CancellationToken cancellationToken)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = contentType;
            await context.Response.Body.WriteAsync(error, cancellationToken);
            return;
        }
        await WriteAsync($"data: {Encoding.UTF8.GetString(error.Span).ReplaceLineEndings(" ")}\n\ndata: [DONE]\n\n", cancellationToken);
    }

    public void Dispose() => _writing.Dispose();

    private async Task TakeEventAsync(int promptIndex, JsonObject chunk, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (chunk["choices"] is not JsonArray { Count: > 0 } choices)
            {
                _usage.Add(chunk["usage"]);
                _usageEvent ??= chunk;
                return;
            }
            foreach (var choice in choices)
            {
                choice!["index"] = promptIndex;   // one prompt a leg and n = 1, so the leg's own index is 0
            }
            chunk["id"] = id;
            await WriteAsync($"data: {chunk.ToJsonString()}\n\n", cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task WriteAsync(string events, CancellationToken cancellationToken)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = 200;
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            context.Response.Headers.CacheControl = "no-cache";
        }
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(events), cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }
}
