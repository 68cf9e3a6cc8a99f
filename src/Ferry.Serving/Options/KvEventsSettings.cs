using System.Text.Json.Nodes;
using Ferry.Kv.Settings;
using Ferry.Serving.Events;

namespace Ferry.Serving.Options;

/// <summary>vLLM's <c>--kv-events-config</c>: a JSON object with the keys of its <c>KVEventsConfig</c>.</summary>
internal static class KvEventsSettings
{
    private const string Flag = "--kv-events-config";
    private const int JsonLengthMax = 16 * 1024;
    private const int JsonDepthMax = 4;
    private const string Example = "'{\"enable_kv_cache_events\":true,\"publisher\":\"zmq\",\"endpoint\":\"tcp://127.0.0.1:5557\"}'";
    private static readonly string[] Keys = ["enable_kv_cache_events", "publisher", "endpoint", "replay_endpoint", "buffer_steps", "hwm", "max_queue_size", "topic"];

    public static void Apply(ServeDraft draft, SettingValue value)
    {
        if (JsonObjectSetting.Read(value, Flag, Example, JsonLengthMax, JsonDepthMax) is not { } json)
        {
            return;
        }
        foreach (var (key, _) in json)
        {
            if (!Keys.Contains(key, StringComparer.Ordinal))
            {
                value.Error($"{Flag} has no key '{key}'.{NameHint.Of(key, Keys)} Known: {string.Join(", ", Keys)}.");
                return;
            }
        }
        try
        {
            Take(draft, value, json);
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or OverflowException)
        {
            value.Error($"{Flag} has a value of the wrong kind: {exception.Message} Write for example {Example}.");
        }
    }

    private static void Take(ServeDraft draft, SettingValue value, JsonObject json)
    {
        var defaults = new KvEventsOptions();
        var publisher = (string?)json["publisher"];
        if (publisher is not (null or "zmq" or "null"))
        {
            value.Error($"{Flag}: publisher is '{publisher}'; it must be zmq or null.");
            return;
        }
        var options = new KvEventsOptions
        {
            Endpoint = (string?)json["endpoint"] ?? defaults.Endpoint,
            ReplayEndpoint = (string?)json["replay_endpoint"],
            Topic = (string?)json["topic"] ?? "",
            BufferSteps = Number("buffer_steps", defaults.BufferSteps),
            HighWater = Number("hwm", defaults.HighWater),
            QueueMax = Number("max_queue_size", defaults.QueueMax),
        };
        foreach (var (name, endpoint) in new[] { ("endpoint", options.Endpoint), ("replay_endpoint", options.ReplayEndpoint) })
        {
            if (endpoint is not null && !IsEndpoint(endpoint))
            {
                value.Error($"{Flag}: {name} is '{endpoint}'; write tcp://HOST:PORT, for example tcp://127.0.0.1:5557, or tcp://*:5557 for every address.");
                return;
            }
        }
        // vLLM: no publisher named means zmq where events are on.
        draft.KvEvents = (bool?)json["enable_kv_cache_events"] == true && publisher != "null" ? options : null;

        int Number(string key, int fallback)
        {
            var number = (int?)json[key] ?? fallback;
            return number is >= 1 and <= 10_000_000 ? number : throw new FormatException($"{key} is {number}; it must lie in 1..10000000.");
        }
    }

    private static bool IsEndpoint(string text) =>
        text.StartsWith("tcp://", StringComparison.Ordinal) && text.LastIndexOf(':') is > 6 and var colon
        && int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65_535;
}
