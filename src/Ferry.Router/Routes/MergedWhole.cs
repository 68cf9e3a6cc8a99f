using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Merges answers in one piece: choices in the order of the prompts, usage summed.</summary>
internal sealed class MergedWhole(HttpContext context, string id, int promptCount) : IMergedAnswer
{
    private readonly JsonObject?[] _answers = new JsonObject?[promptCount];

    public async Task TakeAsync(int promptIndex, Stream answer, CancellationToken cancellationToken) =>
        _answers[promptIndex] = await JsonNode.ParseAsync(answer, cancellationToken: cancellationToken) as JsonObject
            ?? throw new JsonException("The node's answer is no JSON object.");

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var merged = (JsonObject)_answers[0]!.DeepClone();
        var choices = new JsonArray();
        var usage = new MergedUsage();
        foreach (var answer in _answers)
        {
            usage.Add(answer!["usage"]);
            foreach (var choice in answer["choices"] as JsonArray ?? [])
            {
                var copy = (JsonObject)choice!.DeepClone();
                copy["index"] = choices.Count;
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
