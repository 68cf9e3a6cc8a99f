using System.Text.Json;
using Ferry.Engine.Tokenization;
using Ferry.Serving.Api.Errors;

namespace Ferry.Serving.Api.Completions;

/// <summary>Reads the four forms of a completion's prompt.</summary>
internal static class PromptReader
{
    private const string Forms = "prompt must be a string, a list of strings, a list of token ids, or a list of lists of token ids.";

    /// <param name="vocabularySize">Token ids must lie below.</param>
    public static IReadOnlyList<CompletionPrompt> Read(JsonElement prompt, Tokenizer tokenizer, bool addSpecialTokens, int vocabularySize, int maxPrompts)
    {
        switch (prompt.ValueKind)
        {
            case JsonValueKind.String:
                return [OfText(prompt, tokenizer, addSpecialTokens)];
            case JsonValueKind.Array when prompt.GetArrayLength() > 0:
                break;
            case JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Array:
                throw ApiException.BadRequest("Either prompt or prompt_embeds must be provided and non-empty.", "prompt");
            default:
                throw ApiException.BadRequest(Forms, "prompt");
        }
        if (prompt[0].ValueKind == JsonValueKind.Number)
        {
            return [OfTokens(prompt, vocabularySize)];
        }
        if (prompt.GetArrayLength() > maxPrompts)
        {
            throw ApiException.BadRequest($"prompt has {prompt.GetArrayLength()} prompts; at most {maxPrompts} are taken in one request.", "prompt");
        }
        return [.. prompt.EnumerateArray().Select(item => item.ValueKind switch
        {
            JsonValueKind.String => OfText(item, tokenizer, addSpecialTokens),
            JsonValueKind.Array => OfTokens(item, vocabularySize),
            _ => throw ApiException.BadRequest(Forms, "prompt"),
        })];
    }

    private static CompletionPrompt OfText(JsonElement text, Tokenizer tokenizer, bool addSpecialTokens)
    {
        var value = text.GetString()!;
        return new CompletionPrompt(value, tokenizer.Encode(value, addSpecialTokens));
    }

    private static CompletionPrompt OfTokens(JsonElement list, int vocabularySize)
    {
        var tokens = new int[list.GetArrayLength()];
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var token))
            {
                throw ApiException.BadRequest(Forms, "prompt");
            }
            if (token < 0 || token >= vocabularySize)
            {
                throw ApiException.BadRequest($"Token id {token} is out of vocabulary: ids lie in 0..{vocabularySize - 1}.", "prompt");
            }
            tokens[index++] = token;
        }
        return new CompletionPrompt(null, tokens);
    }
}
