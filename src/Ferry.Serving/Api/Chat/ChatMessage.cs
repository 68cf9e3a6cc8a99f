namespace Ferry.Serving.Api.Chat;

internal sealed record ChatMessage(string Role, string Content)
{
    public string? Refusal { get; }

    public IReadOnlyList<string> ToolCalls { get; } = [];
}
