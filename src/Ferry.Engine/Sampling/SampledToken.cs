namespace Ferry.Engine.Sampling;

/// <param name="TokenId">-1 when no token can be chosen; then <paramref name="Error"/> says why.</param>
/// <param name="Logprobs">Null unless asked for.</param>
internal readonly record struct SampledToken(int TokenId, Generation.TokenLogprobs? Logprobs, string? Error);
