namespace Ferry.Serving.Api.Completions;

/// <param name="Text">Null when the client sent token ids.</param>
internal sealed record CompletionPrompt(string? Text, IReadOnlyList<int> Tokens);
