using System.Text.Json.Nodes;

namespace Ferry.Router.Routes;

/// <summary>Sums usage over prompts and choices. Not thread-safe.</summary>
internal sealed class MergedUsage
{
    private long _prompt;
    private long _completion;
    private long _cached;
    private bool _hasDetails;

    public long CompletionTokens => _completion;

    /// <param name="countsPrompt">Of the choices of one prompt only the first counts it.</param>
    /// <param name="prefillCachedTokens">Stands for the decode node's own number, which counts what it fetched.</param>
    public void Add(JsonNode? usage, bool countsPrompt, int? prefillCachedTokens)
    {
        if (usage is not JsonObject)
        {
            return;
        }
        _completion += Number(usage["completion_tokens"]);
        if (!countsPrompt)
        {
            return;
        }
        _prompt += Number(usage["prompt_tokens"]);
        if (usage["prompt_tokens_details"] is JsonObject details)
        {
            _hasDetails = true;
            _cached += prefillCachedTokens ?? Number(details["cached_tokens"]);
        }
    }

    public JsonObject ToJson()
    {
        var usage = new JsonObject { ["prompt_tokens"] = _prompt, ["total_tokens"] = _prompt + _completion, ["completion_tokens"] = _completion };
        if (_hasDetails)
        {
            usage["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = _cached };
        }
        return usage;
    }

    private static long Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;
}
