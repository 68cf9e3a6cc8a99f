using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Merges answers in one piece: choices in the order of the prompts, usage summed.</summary>
internal sealed class MergedWhole(HttpContext context, string id, int answerCount) : IMergedAnswer
{
    private readonly JsonObject?[] _answers = new JsonObject?[answerCount];
    private readonly bool[] _countsPrompt = new bool[answerCount];
    private readonly int?[] _cachedTokens = new int?[answerCount];

    public Task TakeAsync(int index, bool countsPrompt, DecodeAnswer answer, PromptPart? prompt, int? prefillCachedTokens, CancellationToken cancellationToken)
    {
        if (!answer.IsWhole)
        {
            throw RouterException.BadGateway("The decode node's answer is too long to be merged with others. Ask for a stream, or for one prompt at a time.");
        }
        var body = JsonNode.Parse(answer.Bytes.Memory.Span) as JsonObject ?? throw new JsonException("The node's answer is no JSON object.");
        if (prompt is not null && body["choices"] is JsonArray { Count: > 0 } choices && choices[0] is JsonObject choice)
        {
            prompt.MergeWhole(body, choice);
        }
        (_answers[index], _countsPrompt[index], _cachedTokens[index]) = (body, countsPrompt, prefillCachedTokens);
        return Task.CompletedTask;
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var merged = (JsonObject)_answers[0]!.DeepClone();
        var choices = new JsonArray();
        var usage = new MergedUsage();
        for (var index = 0; index < _answers.Length; index++)
        {
            usage.Add(_answers[index]!["usage"], _countsPrompt[index], _cachedTokens[index]);
            if (_answers[index]!["choices"] is JsonArray { Count: > 0 } own)
            {
                var copy = (JsonObject)own[0]!.DeepClone();   // n = 1 in every leg
                copy["index"] = index;
                choices.Add(copy);
            }
        }
        merged["id"] = id;
        merged["choices"] = choices;
        merged["usage"] = usage.ToJson();
        merged["kv_transfer_params"] = null;
        await WriteAsync(200, "application/json", Encoding.UTF8.GetBytes(merged.ToJsonString()), cancellationToken);
    }

    public Task FailAsync(int status, string contentType, ReadOnlyMemory<byte> error, CancellationToken cancellationToken) =>
        WriteAsync(status, contentType, error, cancellationToken);

    public void Dispose()
    {
    }

    private async Task WriteAsync(int status, string contentType, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, cancellationToken);
    }
}
