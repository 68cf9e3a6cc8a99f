using System.Text.Json.Nodes;

namespace Ferry.Router.Routes;

/// <summary>Sums usage over prompts. Not thread-safe.</summary>
internal sealed class MergedUsage
{
    private static readonly string[] Counters = ["prompt_tokens", "total_tokens", "completion_tokens"];

    private readonly long[] _sums = new long[Counters.Length];
    private long _cached;
    private bool _hasDetails;

    public bool HasAny { get; private set; }

    public void Add(JsonNode? usage)
    {
        if (usage is not JsonObject)
        {
            return;
        }
        HasAny = true;
        for (var index = 0; index < Counters.Length; index++)
        {
            _sums[index] += Number(usage[Counters[index]]);
        }
        if (usage["prompt_tokens_details"] is JsonObject details)
        {
            _hasDetails = true;
            _cached += Number(details["cached_tokens"]);
        }
    }

    public JsonObject ToJson()
    {
        var usage = new JsonObject();
        for (var index = 0; index < Counters.Length; index++)
        {
            usage[Counters[index]] = _sums[index];
        }
        if (_hasDetails)
        {
            usage["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = _cached };
        }
        return usage;
    }

    private static long Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;
}
