namespace Ferry.Router.Bodies;

/// <summary>The body of the first leg: the client's prompt, one token out, and the wish that its KV be held for another node.</summary>
internal static class PrefillLeg
{
    /// <summary>
    /// What shapes the output only. Everything that changes prompt tokens or block hashes stays: messages, tools, chat_template_kwargs,
    /// add_generation_prompt, documents, truncate_prompt_tokens, add_special_tokens, cache_salt, model…
    /// </summary>
    private static readonly byte[][] OutputOnly = Names(
        "stream_options", "min_tokens", "min_completion_tokens", "best_of", "use_beam_search", "echo", "logprobs", "top_logprobs", "prompt_logprobs",
        "return_token_ids", "return_tokens_as_token_ids", "response_format", "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar", "text",
        // A stop at the first token would end the request as "stop", for which older vLLMs return no parameters.
        "stop", "stop_token_ids", "ec_transfer_params");

    /// <summary>As <see cref="OutputOnly"/>, but the prefill node must say the prompt's log probabilities, which the decode node cannot know.</summary>
    private static readonly byte[][] OutputOnlyButPrompt = Names(
        [.. OutputOnly.Select(System.Text.Encoding.UTF8.GetString).Where(name => name is not ("logprobs" or "top_logprobs" or "prompt_logprobs" or "echo" or "return_tokens_as_token_ids"))]);

    /// <param name="wish">Raw kv_transfer_params of the connector, or empty: its KV is found by content.</param>
    /// <param name="prompt">Raw value that replaces the prompt, or empty to keep it.</param>
    /// <param name="promptAnswer">What of the answer must come from this leg.</param>
    public static LegBody Build(JsonBody body, ApiKind api, ReadOnlyMemory<byte> wish, ReadOnlyMemory<byte> prompt = default, PromptAnswer promptAnswer = PromptAnswer.None)
    {
        var edit = new JsonEdit(body).Drop(promptAnswer == PromptAnswer.None ? OutputOnly : OutputOnlyButPrompt);
        if (api == ApiKind.Responses)
        {
            edit.Set(BodyNames.MaxOutputTokens, BodyNames.One).Set(BodyNames.Store, BodyNames.False);
        }
        else
        {
            // vLLM's echo without generation: the answer's text is the prompt's alone; the engine still makes one token.
            edit.Set(BodyNames.MaxTokens, promptAnswer == PromptAnswer.Echo ? BodyNames.Zero : BodyNames.One);
            if (api == ApiKind.Chat || body.Asks("max_completion_tokens"u8))
            {
                edit.Set(BodyNames.MaxCompletionTokens, BodyNames.One);
            }
        }
        edit.Set(BodyNames.Stream, BodyNames.False);
        if (body.Asks("n"u8))
        {
            edit.Set(BodyNames.Count, BodyNames.One);
        }
        if (!prompt.IsEmpty)
        {
            edit.Set(BodyNames.Prompt, prompt);
        }
        ClientArguments.Clean(body, edit);
        if (wish.IsEmpty)
        {
            return edit.Drop(BodyNames.Internal).Build();   // a client's own parameters go even when the connector has none to put in their place
        }
        return edit.Set(BodyNames.TransferParams, wish).Build();
    }

    private static byte[][] Names(params string[] names) => [.. names.Select(System.Text.Encoding.UTF8.GetBytes)];
}
