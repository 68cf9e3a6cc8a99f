using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Cluster.Verification;

/// <summary>Asking over HTTP as probes need it.</summary>
internal static class HttpAnswers
{
    private const int ShownChars = 200;

    /// <summary>GETs a JSON object.</summary>
    /// <returns>The object, or what stood there instead.</returns>
    /// <exception cref="HttpRequestException">Nobody answered.</exception>
    public static async Task<(JsonObject? Body, string Problem)> GetJsonAsync(this HttpClient http, Uri url, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(url, cancellationToken);
        return await ReadJsonAsync(response, cancellationToken);
    }

    /// <summary>The object that a response holds, or what it holds instead.</summary>
    public static async Task<(JsonObject? Body, string Problem)> ReadJsonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return (null, $"{(int)response.StatusCode}{(response.StatusCode == System.Net.HttpStatusCode.Unauthorized ? " (give the API key's variable with --api-key-env)" : "")} {Shorten(text)}".TrimEnd());
        }
        try
        {
            return JsonNode.Parse(text) is JsonObject body ? (body, "") : (null, $"no JSON object: {Shorten(text)}");
        }
        catch (JsonException)
        {
            return (null, $"no JSON: {Shorten(text)}");
        }
    }

    public static string Shorten(string text)
    {
        var line = string.Concat(text.Take(ShownChars).Select(character => char.IsControl(character) ? ' ' : character)).Trim();
        return text.Length > ShownChars ? line + "…" : line;
    }

    /// <summary>The text of a member, or null when it is no text or not there.</summary>
    public static string? Text(this JsonNode? node, string name) => node is JsonObject map && map[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The whole number of a member, or null.</summary>
    public static long? Number(this JsonNode? node, string name) => node is JsonObject map && map[name] is JsonValue value && value.TryGetValue<long>(out var number) ? number : null;
}
