using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Ferry.Serving.Api.Chat;

internal sealed record ChatChoice(int Index, ChatMessage Message, ChatLogprobs? Logprobs, string? FinishReason, JsonNode? StopReason)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }
}
