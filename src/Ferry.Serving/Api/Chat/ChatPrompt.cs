using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Serving.Api.Errors;

namespace Ferry.Serving.Api.Chat;

/// <summary>Turns chat messages into prompt tokens by the model's template.</summary>
internal sealed class ChatPrompt(ILlmEngine engine, TimeProvider clock)
{
    private const int MaxMessages = 4096;

    /// <exception cref="ApiException">Messages that are none, content that is not text, or a model without a template.</exception>
    public int[] Encode(JsonArray? messages, bool addGenerationPrompt, bool addSpecialTokens, JsonArray? tools, JsonObject? variables)
    {
        if (messages is not { Count: > 0 and <= MaxMessages })
        {
            throw ApiException.BadRequest($"messages must be a list of 1 to {MaxMessages} messages.", "messages");
        }
        var template = engine.ChatTemplate ?? throw ApiException.BadRequest(
            "This model has no chat template, so chat is not possible with it. Use /v1/completions, or start the node with --chat-template FILE.", "messages");
        var plain = new JsonArray();
        for (var index = 0; index < messages.Count; index++)
        {
            plain.Add(Plain(messages[index], index));
        }
        var text = template.Render(plain, addGenerationPrompt, clock.GetUtcNow(), (JsonArray?)tools?.DeepClone(), (JsonObject?)variables?.DeepClone());
        // The template has written the special tokens; those that a user typed inside a message read the same, as in vLLM.
        return engine.Tokenizer.Encode(text, addSpecialTokens, parseSpecialTokens: true);
    }

    /// <summary>A message whose content is text: parts are joined by newlines, as vLLM does for templates that take strings.</summary>
    private static JsonObject Plain(JsonNode? node, int index)
    {
        if (node is not JsonObject message || message["role"] is not JsonValue role || !role.TryGetValue<string>(out _))
        {
            throw ApiException.BadRequest($"messages[{index}] must be an object with a role.", "messages");
        }
        var copy = (JsonObject)message.DeepClone();
        switch (message["content"])
        {
            case null:
                copy["content"] = "";
                break;
            case JsonValue value when value.TryGetValue<string>(out _):
                break;
            case JsonArray parts:
                copy["content"] = string.Join('\n', parts.Select((part, position) => PartText(part, index, position)));
                break;
            default:
                throw ApiException.BadRequest($"messages[{index}].content must be a string or a list of parts.", "messages");
        }
        return copy;
    }

    private static string PartText(JsonNode? part, int index, int position)
    {
        if (part is JsonValue bare && bare.TryGetValue<string>(out var text))
        {
            return text;
        }
        var type = (part as JsonObject)?["type"]?.ToString() ?? "nothing";
        if (type is "text" or "input_text" or "refusal" && (part!["text"] ?? part["refusal"]) is JsonValue value && value.TryGetValue<string>(out var content))
        {
            return content;
        }
        throw ApiException.BadRequest($"messages[{index}].content[{position}] is of type '{type}'; this model takes text only.", "messages");
    }
}
