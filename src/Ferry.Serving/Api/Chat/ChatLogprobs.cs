namespace Ferry.Serving.Api.Chat;

internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content);
