namespace Ferry.Router.Bodies;

/// <summary>The body of the second leg: the client's own, and what the prefill node returned, unread.</summary>
internal static class DecodeLeg
{
    private static readonly byte[][] PromptLogprobs = ["prompt_logprobs"u8.ToArray()];
    private static readonly byte[][] Echo = ["prompt_logprobs"u8.ToArray(), "echo"u8.ToArray()];

    /// <param name="transferParams">Raw kv_transfer_params; empty for a request that the decode node does alone or whose KV is found by content.</param>
    /// <param name="prompt">Raw value that replaces the prompt, or empty to keep it.</param>
    /// <param name="choice">Which of <c>n</c> choices this leg makes; null when the node makes them all.</param>
    /// <remarks>A client's own kv_transfer_params never pass: the engine would dial the address in them.</remarks>
    public static LegBody Build(
        JsonBody body, ReadOnlyMemory<byte> transferParams, ReadOnlyMemory<byte> prompt = default, PromptAnswer promptAnswer = PromptAnswer.None, int? choice = null)
    {
        var edit = new JsonEdit(body).Drop(BodyNames.Internal);
        if (promptAnswer != PromptAnswer.None)
        {
            edit.Drop(promptAnswer == PromptAnswer.Echo ? Echo : PromptLogprobs);
        }
        if (!prompt.IsEmpty)
        {
            edit.Set(BodyNames.Prompt, prompt);
        }
        if (choice is { } index)
        {
            edit.Set(BodyNames.Count, BodyNames.One);
            if (index > 0 && body.Integer("seed"u8) is { } seed)
            {
                // vLLM's own children of one request get seed + index, so that they differ.
                edit.Set(BodyNames.Seed, System.Text.Encoding.UTF8.GetBytes((seed + index).ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
        ClientArguments.Clean(body, edit);
        if (!transferParams.IsEmpty)
        {
            edit.Set(BodyNames.TransferParams, transferParams);
        }
        return edit.Build();
    }
}
