namespace Ferry.Serving.Api.Generation;

/// <param name="CachedTokens">Prompt tokens that were not computed here: own prefix cache and exchange together.</param>
internal sealed record PromptTokensDetails(int CachedTokens);
