namespace Ferry.Router.Bodies;

/// <summary>What a node answered in one piece, as far as the router reads it.</summary>
/// <param name="Body">The whole answer; null when it is no JSON object.</param>
/// <param name="TransferParams">The raw <c>kv_transfer_params</c>; empty when missing, null or an empty object, which all mean "no transfer".</param>
/// <param name="CachedTokens">Prompt tokens that the node did not have to compute; null when it does not say.</param>
/// <param name="PromptTokens">Tokens of the prompt; null when it does not say.</param>
/// <param name="CompletionTokens">Tokens of the answer; null when it does not say.</param>
internal sealed record NodeReply(JsonBody? Body, ReadOnlyMemory<byte> TransferParams, int? CachedTokens, int? PromptTokens, int? CompletionTokens)
{
    /// <summary>Never throws: a reply that is no JSON carries no parameters, and the decode node computes.</summary>
    public static NodeReply Read(ReadOnlyMemory<byte> reply)
    {
        if (JsonBody.TryParse(reply) is not { } body)
        {
            return new NodeReply(null, default, null, null, null);
        }
        var parameters = body.Value("kv_transfer_params"u8);
        var usage = body.Object("usage"u8);
        var cached = (usage?.Object("prompt_tokens_details"u8) ?? usage?.Object("input_tokens_details"u8))?.Integer("cached_tokens"u8);
        var prompt = usage?.Integer("prompt_tokens"u8) ?? usage?.Integer("input_tokens"u8);
        var completion = usage?.Integer("completion_tokens"u8) ?? usage?.Integer("output_tokens"u8);
        return new NodeReply(body, parameters.Length > 2 && parameters.Span[0] == (byte)'{' ? parameters : default, Tokens(cached), Tokens(prompt), Tokens(completion));
    }

    /// <summary>A node's number, unless it cannot be one of tokens.</summary>
    private static int? Tokens(long? count) => count is >= 0 and <= int.MaxValue ? (int)count : null;
}
