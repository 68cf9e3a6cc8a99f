using Ferry.Serving.Api.Errors;

namespace Ferry.Serving.Api.Generation;

/// <summary>Fits prompt and output into the context, with vLLM's messages.</summary>
internal static class ContextBudget
{
    /// <summary>Tokens that the request may generate.</summary>
    /// <param name="asked">max_tokens; null fills the context.</param>
    public static int MaxTokens(int promptTokens, int maxModelLen, int? asked, string field)
    {
        if (promptTokens == 0)
        {
            throw ApiException.BadRequest("The prompt is empty: it must have at least one token.", "prompt");
        }
        if (promptTokens >= maxModelLen)
        {
            throw ApiException.BadRequest(
                $"This model's maximum context length is {maxModelLen} tokens. However, your request has {promptTokens} input tokens. " +
                "Please reduce the length of the input messages.", "input_tokens");
        }
        var room = maxModelLen - promptTokens;
        if (asked is not { } wanted)
        {
            return room;
        }
        if (wanted < 1)
        {
            throw ApiException.BadRequest($"{field} must be at least 1, got {wanted}.", field);
        }
        return wanted <= room
            ? wanted
            : throw ApiException.BadRequest(
                $"'max_tokens' or 'max_completion_tokens' is too large: {wanted}. This model's maximum context length is {maxModelLen} tokens and your request has " +
                $"{promptTokens} input tokens ({wanted} > {maxModelLen} - {promptTokens}).", field);
    }

    /// <summary>vLLM's truncate_prompt_tokens: keeps the last tokens; -1 means the whole context.</summary>
    public static IReadOnlyList<int> Truncate(IReadOnlyList<int> prompt, int? truncateTo, int maxModelLen)
    {
        if (truncateTo is not { } wanted)
        {
            return prompt;
        }
        if (wanted is < -1 or 0)
        {
            throw ApiException.BadRequest($"truncate_prompt_tokens must be -1 or at least 1, got {wanted}.", "truncate_prompt_tokens");
        }
        var kept = wanted == -1 ? maxModelLen - 1 : wanted;
        return prompt.Count <= kept ? prompt : [.. prompt.Skip(prompt.Count - kept)];
    }
}
