using System.Text.Json.Serialization;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Chat;

/// <summary>One event of a chat stream.</summary>
internal sealed record ChatChunk(string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices)
{
    public string Object { get; } = "chat.completion.chunk";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KvProofBody? FerryKv { get; init; }
}
