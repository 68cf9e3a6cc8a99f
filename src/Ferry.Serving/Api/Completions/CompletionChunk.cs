using System.Text.Json.Serialization;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Completions;

/// <summary>One event of a completion stream.</summary>
internal sealed record CompletionChunk(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices)
{
    public string Object { get; } = "text_completion";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KvProofBody? FerryKv { get; init; }
}
