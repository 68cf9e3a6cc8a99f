using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;

namespace Ferry.Serving.Api.Generation;

/// <summary>Tokens and their log probabilities as answers show them.</summary>
/// <param name="asIds">"token_id:17" instead of text (vLLM's return_tokens_as_token_ids).</param>
internal sealed class TokenTexts(Tokenizer tokenizer, bool asIds)
{
    /// <summary>vLLM's smallest: JSON has no minus infinity.</summary>
    private const float LeastLogprob = -9999f;

    public static float Clamp(float logprob) => Math.Max(logprob, LeastLogprob);

    public string Text(int tokenId) =>
        asIds ? $"token_id:{tokenId.ToString(CultureInfo.InvariantCulture)}" : tokenizer.TokenText(tokenId);

    /// <summary>UTF-8 of the token, one number a byte.</summary>
    public IReadOnlyList<int> Bytes(int tokenId) => [.. tokenizer.TokenBytes(tokenId).ToArray().Select(value => (int)value)];

    /// <summary>The completion shape of one token's alternatives: the chosen one first.</summary>
    public IReadOnlyDictionary<string, float> Top(TokenLogprobs logprobs)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal) { [Text(logprobs.TokenId)] = Clamp(logprobs.Logprob) };
        foreach (var (tokenId, logprob) in logprobs.Top)
        {
            top.TryAdd(Text(tokenId), Clamp(logprob));
        }
        return top;
    }

    /// <summary>vLLM's prompt_logprobs: null for the first token, then one object a token, keyed by token id.</summary>
    public JsonArray PromptLogprobs(IReadOnlyList<TokenLogprobs?> prompt)
    {
        var list = new JsonArray();
        foreach (var one in prompt)
        {
            list.Add(one is null ? null : PromptEntry(one));
        }
        return list;
    }

    public static JsonNode? StopReason(object? reason) => reason switch
    {
        null => null,
        string text => JsonValue.Create(text),
        int tokenId => JsonValue.Create(tokenId),
        _ => JsonValue.Create(Convert.ToString(reason, CultureInfo.InvariantCulture)),
    };

    private JsonObject PromptEntry(TokenLogprobs logprobs)
    {
        var entry = new JsonObject();
        Add(entry, logprobs.TokenId, logprobs.Logprob, logprobs.Rank);
        for (var index = 0; index < logprobs.Top.Count; index++)
        {
            Add(entry, logprobs.Top[index].TokenId, logprobs.Top[index].Logprob, index + 1);
        }
        return entry;
    }

    private void Add(JsonObject entry, int tokenId, float logprob, int rank) =>
        entry[tokenId.ToString(CultureInfo.InvariantCulture)] = new JsonObject
        {
            ["logprob"] = Clamp(logprob),
            ["rank"] = rank,
            ["decoded_token"] = tokenizer.TokenText(tokenId),
        };
}
