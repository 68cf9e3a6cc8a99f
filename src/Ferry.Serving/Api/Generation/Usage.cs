using System.Text.Json.Serialization;

namespace Ferry.Serving.Api.Generation;

internal sealed record Usage(int PromptTokens, int TotalTokens, int CompletionTokens)
{
    /// <summary>Absent while it is not known: inside a stream.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PromptTokensDetails? PromptTokensDetails { get; init; }
}
