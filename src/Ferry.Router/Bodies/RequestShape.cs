using System.Text.Json;

namespace Ferry.Router.Bodies;

/// <summary>How a request is split over legs.</summary>
/// <param name="Prompts">Raw prompts of a completion with a list of them; empty when the request goes through as one.</param>
/// <param name="DecodeOnlyReason">Why no prefill leg is possible, or null.</param>
public sealed record RequestShape(IReadOnlyList<ReadOnlyMemory<byte>> Prompts, string? DecodeOnlyReason)
{
    public static RequestShape Of(JsonBody body, bool isChat, int maxFanOut)
    {
        var reason = WhyDecodeOnly(body);
        if (isChat || reason is not null)
        {
            return new RequestShape([], reason);
        }
        var prompts = PromptList(body.Value("prompt"));
        return prompts.Count > maxFanOut
            ? new RequestShape([], $"{prompts.Count} prompts")
            : new RequestShape(prompts, null);
    }

    private static string? WhyDecodeOnly(JsonBody body)
    {
        if (body.Integer("n") > 1)
        {
            // The choices of one request share its parameters: each would fetch, and the first one's notice frees the blocks (facts of vLLM's NIXL connector).
            return "n > 1";
        }
        if (body.Asks("prompt_logprobs") || (body.Asks("echo") && body.Asks("logprobs")))
        {
            // The decode node has the KV of the prompt, not its hidden states: it could not give them (vLLM 50792).
            return "prompt log probabilities";
        }
        return body.Asks("use_beam_search") ? "beam search" : null;
    }

    /// <summary>The elements of a list of prompts; empty for one prompt, text or token ids.</summary>
    private static List<ReadOnlyMemory<byte>> PromptList(ReadOnlyMemory<byte> prompt)
    {
        var prompts = new List<ReadOnlyMemory<byte>>();
        if (prompt.IsEmpty)
        {
            return prompts;
        }
        var reader = new Utf8JsonReader(prompt.Span, new JsonReaderOptions { MaxDepth = JsonBody.MaxDepth });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return prompts;
        }
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
