using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Chat;

internal sealed record ChatResponse(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    public string Object { get; } = "chat.completion";

    public string? ServiceTier { get; }

    public string? SystemFingerprint { get; }

    public JsonArray? PromptLogprobs { get; init; }

    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    public JsonObject? KvTransferParams { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KvProofBody? FerryKv { get; init; }
}
