using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Merges event streams: each event gets its choice's index, usage is summed into one event, and [DONE] comes once.</summary>
internal sealed class MergedStream(HttpContext context, string id, RelayWatch times) : IMergedAnswer
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly MergedUsage _usage = new();
    private JsonObject? _usageEvent;

    public async Task TakeAsync(int index, bool countsPrompt, DecodeAnswer answer, PromptPart? prompt, int? prefillCachedTokens, CancellationToken cancellationToken)
    {
        var (isDone, isFirst) = (false, true);
        await using var source = new PrefixStream(answer.Bytes.Memory, answer.Source, answer.Idle);
        await foreach (var item in SseParser.Create(source).EnumerateAsync(cancellationToken))
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
            if (chunk.ContainsKey("error") || AnswerFailure.HasFailedChoice(Encoding.UTF8.GetBytes(item.Data)))
            {
                throw new NodeAnswerException(500, "application/json", Encoding.UTF8.GetBytes(item.Data));
            }
            if (chunk["choices"] is not JsonArray { Count: > 0 } choices)
            {
                await TakeUsageAsync(chunk, countsPrompt, prefillCachedTokens, cancellationToken);
                continue;
            }
            foreach (var choice in choices.OfType<JsonObject>())
            {
                prompt?.MergeText(choice, isFirst);
                choice["index"] = index;   // one prompt a leg and n = 1, so the leg's own index is 0
            }
            isFirst = false;
            chunk["id"] = id;
            chunk.Remove("usage");   // of one leg alone it would be wrong
            await WriteAsync($"data: {chunk.ToJsonString()}\n\n", cancellationToken);
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
            await WriteAsync($"data: {last.ToJsonString()}\n\n", cancellationToken, isOutput: false);
        }
        await WriteAsync("data: [DONE]\n\n", cancellationToken, isOutput: false);
        times.Done();
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
        await WriteAsync($"data: {Encoding.UTF8.GetString(error.Span).ReplaceLineEndings(" ")}\n\ndata: [DONE]\n\n", cancellationToken, isOutput: false);
    }

    public void Dispose() => _writing.Dispose();

    private async Task TakeUsageAsync(JsonObject chunk, bool countsPrompt, int? prefillCachedTokens, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        _usage.Add(chunk["usage"], countsPrompt, prefillCachedTokens);
        _usageEvent ??= chunk;
        _writing.Release();
    }

    private async Task WriteAsync(string events, CancellationToken cancellationToken, bool isOutput = true)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = 200;
                context.Response.ContentType = "text/event-stream; charset=utf-8";
                context.Response.Headers.CacheControl = "no-cache";
            }
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(events), cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken);
            if (isOutput)
            {
                times.Output(1);
            }
        }
        finally
        {
            _writing.Release();
        }
    }
}
