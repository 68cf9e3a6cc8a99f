namespace Ferry.Serving.Api.Tokens;

internal sealed record DetokenizeResponse(string Prompt);
