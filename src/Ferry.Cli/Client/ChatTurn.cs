namespace Ferry.Cli.Client;

/// <summary>One streamed answer and what was measured on the way.</summary>
/// <param name="Headers">The response's <c>x-ferry-*</c> headers, names in lower case.</param>
/// <param name="TimeToFirstToken">From sending the request until the first text arrived.</param>
internal sealed record ChatTurn(
    string Text, int PromptTokens, int CachedTokens, int CompletionTokens, string FinishReason,
    IReadOnlyDictionary<string, string> Headers, TimeSpan TimeToFirstToken, TimeSpan Total);
