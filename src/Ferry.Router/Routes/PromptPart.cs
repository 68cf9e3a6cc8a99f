using System.Text.Json.Nodes;
using Ferry.Router.Bodies;

namespace Ferry.Router.Routes;

/// <summary>What the prefill node said of the prompt, to be put into the decode node's answer: its text and its log probabilities.</summary>
internal sealed class PromptPart
{
    private static readonly string[] LogprobLists = ["tokens", "token_logprobs", "top_logprobs", "text_offset"];

    private readonly string? _echo;
    private readonly JsonObject? _echoLogprobs;
    private readonly JsonNode? _promptLogprobs;
    private readonly bool _isChat;

    private PromptPart(string? echo, JsonObject? echoLogprobs, JsonNode? promptLogprobs, bool isChat)
    {
        _echo = echo;
        _echoLogprobs = echoLogprobs;
        _promptLogprobs = promptLogprobs;
        _isChat = isChat;
    }

    /// <summary>Null: nothing is to be merged.</summary>
    public static PromptPart? Of(NodeReply? reply, ApiKind api, PromptAnswer asked)
    {
        if (asked == PromptAnswer.None || reply?.Body is null || JsonNode.Parse(reply.Body.Bytes.Span) is not JsonObject body)
        {
            return null;
        }
        var choice = body["choices"] is JsonArray { Count: > 0 } choices ? choices[0] as JsonObject : null;
        var echoes = asked == PromptAnswer.Echo;
        return new PromptPart(
            echoes && choice?["text"] is JsonValue text ? text.GetValue<string>() : null, echoes ? choice?["logprobs"] as JsonObject : null,
            api == ApiKind.Chat ? body["prompt_logprobs"] : choice?["prompt_logprobs"], api == ApiKind.Chat);
    }

    /// <summary>Into an answer in one piece.</summary>
    public void MergeWhole(JsonObject answer, JsonObject choice)
    {
        if (_promptLogprobs is not null)
        {
            (_isChat ? answer : choice)["prompt_logprobs"] = _promptLogprobs.DeepClone();
        }
        MergeText(choice, isFirst: true);
    }

    /// <summary>Into one event's choice: the first one gets the prompt in front, the later ones its length on their offsets.</summary>
    public void MergeText(JsonObject choice, bool isFirst)
    {
        if (_echo is null)
        {
            return;
        }
        if (isFirst)
        {
            choice["text"] = _echo + (choice["text"]?.GetValue<string>() ?? "");
        }
        if (choice["logprobs"] is not JsonObject logprobs)
        {
            return;
        }
        // vLLM's offsets count characters as Python does: code points.
        Shift(logprobs["text_offset"] as JsonArray, _echo.EnumerateRunes().Count());
        if (!isFirst || _echoLogprobs is null)
        {
            return;
        }
        foreach (var name in LogprobLists)
        {
            if (_echoLogprobs[name] is JsonArray ofPrompt && logprobs[name] is JsonArray ofAnswer)
            {
                logprobs[name] = new JsonArray([.. ofPrompt.Concat(ofAnswer).Select(node => node?.DeepClone())]);
            }
        }
    }

    private static void Shift(JsonArray? offsets, int by)
    {
        for (var index = 0; index < (offsets?.Count ?? 0); index++)
        {
            if (offsets![index] is JsonValue value && value.TryGetValue<int>(out var offset))
            {
                offsets[index] = offset + by;
            }
        }
    }
}
