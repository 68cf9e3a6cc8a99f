namespace Ferry.Serving.Api.Chat;

/// <param name="Bytes">UTF-8 of the token, one number a byte.</param>
internal sealed record ChatTokenLogprob(string Token, float Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTopLogprob> TopLogprobs);
