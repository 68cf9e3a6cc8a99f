using System.Net;
using System.Text.Json.Nodes;

namespace Ferry.IntegrationTests.Processes;

/// <summary>One answer of a node: what it said and what it proves.</summary>
internal sealed record NodeAnswer(HttpStatusCode Status, JsonNode Body, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => (string?)Body["choices"]?[0]?["text"] ?? (string?)Body["choices"]?[0]?["message"]?["content"]
        ?? throw new InvalidOperationException($"No text in {Body.ToJsonString()}");

    public JsonObject? TransferParams => Body["kv_transfer_params"] as JsonObject;

    /// <summary>Tokens whose KV came from outside the engine.</summary>
    public int MovedTokens => int.Parse(Headers.GetValueOrDefault("x-ferry-kv-tokens", "0"));

    public string Source => Headers.GetValueOrDefault("x-ferry-kv-source", "");

    public static async Task<NodeAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return new NodeAnswer(
            response.StatusCode, JsonNode.Parse(text) ?? throw new InvalidOperationException("The body is null."),
            response.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value)));
    }
}
