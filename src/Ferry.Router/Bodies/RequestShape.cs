using System.Text.Json;

namespace Ferry.Router.Bodies;

/// <summary>How a request is split over legs.</summary>
/// <param name="Prompts">Raw prompts of a completion with a list of them; empty when the prompt goes through as it is.</param>
/// <param name="Choices">Choices a prompt (<c>n</c>) when each gets legs of its own; else 1.</param>
/// <param name="PromptAnswer">What of the answer must come from the prefill node.</param>
/// <param name="DecodeOnlyReason">Why no prefill leg is possible, or null.</param>
internal sealed record RequestShape(IReadOnlyList<ReadOnlyMemory<byte>> Prompts, int Choices, PromptAnswer PromptAnswer, string? DecodeOnlyReason)
{
    private static readonly RequestShape Plain = new([], 1, PromptAnswer.None, null);

    /// <summary>Whether it needs more than one pair of legs.</summary>
    public bool FansOut => Prompts.Count > 1 || Choices > 1;

    public static RequestShape Of(JsonBody body, ApiKind api, int maxFanOut)
    {
        if (WhyDecodeOnly(body, api) is { } reason)
        {
            return Plain with { DecodeOnlyReason = reason };
        }
        if (api == ApiKind.Responses)
        {
            return Plain;
        }
        var prompts = api == ApiKind.Completions ? PromptList(body.Value("prompt"u8)) : [];
        // The choices of one request share its parameters: each would fetch, and the first one's notice frees the blocks. So each gets its own lease.
        var choices = body.Integer("n"u8) is > 1 and var count ? count : 1;
        var legs = choices * Math.Max(prompts.Count, 1L);
        if (legs > maxFanOut)
        {
            return Plain with { DecodeOnlyReason = legs == prompts.Count ? $"{legs} prompts" : $"{legs} answers" };
        }
        return new RequestShape(prompts, (int)choices, PromptAnswerOf(body, api), null);
    }

    private static string? WhyDecodeOnly(JsonBody body, ApiKind api)
    {
        if (body.Asks("use_beam_search"u8))
        {
            return "beam search";
        }
        if (body.Asks("stream"u8) && body.Asks("prompt_logprobs"u8))
        {
            return "streamed prompt log probabilities";   // vLLM refuses that, and its words are better than ours
        }
        if (api == ApiKind.Responses && body.Asks("previous_response_id"u8))
        {
            return "previous_response_id";   // the conversation is kept by the node that answered
        }
        if (api == ApiKind.Responses && body.Asks("background"u8))
        {
            return "background";
        }
        // Echo without generation is the prompt's own answer: one node gives it whole.
        return body.Asks("echo"u8) && body.Integer("max_tokens"u8) == 0 ? "echo without generation" : null;
    }

    private static PromptAnswer PromptAnswerOf(JsonBody body, ApiKind api)
    {
        if (api == ApiKind.Completions && body.Asks("echo"u8))
        {
            return PromptAnswer.Echo;
        }
        return body.Asks("prompt_logprobs"u8) ? PromptAnswer.Logprobs : PromptAnswer.None;
    }

    /// <summary>The elements of a list of prompts; empty for one prompt, text or token ids.</summary>
    private static List<ReadOnlyMemory<byte>> PromptList(ReadOnlyMemory<byte> prompt)
    {
        var prompts = new List<ReadOnlyMemory<byte>>();
        if (prompt.IsEmpty || prompt.Span[0] != (byte)'[')
        {
            return prompts;
        }
        var reader = new Utf8JsonReader(prompt.Span, new JsonReaderOptions { MaxDepth = JsonBody.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.String or JsonTokenType.StartArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            prompts.Add(prompt[start..(int)reader.BytesConsumed]);
        }
        // Anything but strings and lists among them (token ids, or a mistake) goes through as it is, for the server to judge.
        return reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == 0 && prompts.Count > 0 ? prompts : [];
    }
}
