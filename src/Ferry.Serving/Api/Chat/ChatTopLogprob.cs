namespace Ferry.Serving.Api.Chat;

internal sealed record ChatTopLogprob(string Token, float Logprob, IReadOnlyList<int> Bytes);
