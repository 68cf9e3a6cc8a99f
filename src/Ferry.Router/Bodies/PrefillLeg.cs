namespace Ferry.Router.Bodies;

/// <summary>The body of the first leg: the client's prompt, one token out, and the wish that its KV be held for another node.</summary>
public static class PrefillLeg
{
    private static readonly byte[] One = "1"u8.ToArray();
    private static readonly byte[] False = "false"u8.ToArray();

    /// <summary>As vLLM's reference proxy sends it.</summary>
    private static readonly byte[] HoldForDecode =
        """{"do_remote_decode": true, "do_remote_prefill": false, "remote_engine_id": null, "remote_block_ids": null, "remote_host": null, "remote_port": null}"""u8.ToArray();

    /// <summary>
    /// What shapes the output only. Everything that changes prompt tokens or block hashes stays: messages, tools, chat_template_kwargs,
    /// add_generation_prompt, documents, truncate_prompt_tokens, add_special_tokens, cache_salt, model…
    /// </summary>
    private static readonly HashSet<string> OutputOnly = new(StringComparer.Ordinal)
    {
        "stream_options", "min_tokens", "min_completion_tokens", "best_of", "use_beam_search", "echo", "logprobs", "top_logprobs", "prompt_logprobs",
        "return_token_ids", "return_tokens_as_token_ids", "response_format", "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
        // A stop at the first token would end the request as "stop", for which older vLLMs return no parameters.
        "stop", "stop_token_ids",
    };

    /// <param name="isChat">Chat clients may send max_completion_tokens, and some servers read nothing else.</param>
    /// <param name="prompt">Raw value that replaces the prompt, or empty to keep it.</param>
    public static byte[] Build(JsonBody body, bool isChat, ReadOnlyMemory<byte> prompt = default)
    {
        var adds = new List<(string, ReadOnlyMemory<byte>)>
        {
            ("max_tokens", One),
            ("stream", False),
            ("kv_transfer_params", HoldForDecode),
        };
        if (isChat || body.Asks("max_completion_tokens"))
        {
            adds.Add(("max_completion_tokens", One));
        }
        if (body.Asks("n"))
        {
            adds.Add(("n", One));
        }
        if (!prompt.IsEmpty)
        {
            adds.Add(("prompt", prompt));
        }
        return body.With(OutputOnly.Contains, [.. adds]);
    }
}
