using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Completions;

internal sealed record CompletionResponse(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, Usage Usage)
{
    public string Object { get; } = "text_completion";

    public string? ServiceTier { get; }

    public string? SystemFingerprint { get; }

    public JsonObject? KvTransferParams { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KvProofBody? FerryKv { get; init; }
}
