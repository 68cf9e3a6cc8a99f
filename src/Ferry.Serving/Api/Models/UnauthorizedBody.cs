namespace Ferry.Serving.Api.Models;

/// <summary>vLLM's answer to a missing key: a string, not an error object.</summary>
internal sealed record UnauthorizedBody(string Error);
