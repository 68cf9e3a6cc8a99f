using System.Text.Json;
using Ferry.Serving.Api.Chat;
using Ferry.Serving.Api.Completions;
using Ferry.Serving.Api.Errors;

namespace Ferry.Serving.Api.Generation;

/// <summary>Refuses what clients may ask of vLLM and Ferry cannot do: a clear answer instead of a wrong one.</summary>
internal static class UnsupportedFields
{
    public static void Refuse(GenerationBody body)
    {
        if (body.ResponseFormat.ValueKind == JsonValueKind.Object &&
            body.ResponseFormat.TryGetProperty("type", out var type) && !(type.ValueKind == JsonValueKind.String && type.ValueEquals("text")))
        {
            throw ApiException.NotSupported($"response_format of type {type} is not supported: Ferry does not constrain output. Use {{\"type\":\"text\"}}.", "response_format");
        }
        RefuseIf(Asks(body.StructuredOutputs), "structured_outputs", "Ferry does not constrain output");
        RefuseIf(Asks(body.GuidedJson), "guided_json", "Ferry does not constrain output");
        RefuseIf(Asks(body.GuidedRegex), "guided_regex", "Ferry does not constrain output");
        RefuseIf(Asks(body.GuidedChoice), "guided_choice", "Ferry does not constrain output");
        RefuseIf(Asks(body.GuidedGrammar), "guided_grammar", "Ferry does not constrain output");
        RefuseIf(Asks(body.BadWords), "bad_words", "use logit_bias with token ids");
        RefuseIf(Asks(body.PromptEmbeds), "prompt_embeds", "send text or token ids");
        RefuseIf(body.UseBeamSearch == true, "use_beam_search", "Ferry samples; use n");
        RefuseIf(Asks(body.RepetitionDetection), "repetition_detection", "use repetition_penalty");
        RefuseIf(Asks(body.ThinkingTokenBudget), "thinking_token_budget", "use max_tokens");
        if (body.Priority is not (null or 0))
        {
            throw ApiException.BadRequest($"Got priority {body.Priority} but Priority scheduling is not enabled.", "priority");
        }
        if (body.StreamOptions is not null && body.Stream != true)
        {
            throw ApiException.BadRequest("Stream options can only be defined when `stream=True`.", "stream_options");
        }
        if (body.CacheSalt is { Length: 0 or > 512 })
        {
            throw ApiException.BadRequest("cache_salt must be a string of 1 to 512 characters.", "cache_salt");
        }
    }

    public static void Refuse(CompletionRequest body)
    {
        Refuse((GenerationBody)body);
        if (!string.IsNullOrEmpty(body.Suffix))
        {
            throw ApiException.BadRequest("suffix is not currently supported", "suffix");
        }
        RefuseIf(body.BestOf is { } bestOf && bestOf > (body.N ?? 1), "best_of", "use n");
    }

    public static void Refuse(ChatRequest body)
    {
        Refuse((GenerationBody)body);
        var toolsAreOff = body.ToolChoice.ValueKind == JsonValueKind.String && body.ToolChoice.ValueEquals("none");
        RefuseIf(body.Tools is { Count: > 0 } && !toolsAreOff, "tools", "Ferry does not parse tool calls; send tool_choice \"none\" to have them in the prompt only");
        RefuseIf(Asks(body.Documents), "documents", "put them into the messages");
        RefuseIf(Asks(body.MmProcessorKwargs), "mm_processor_kwargs", "this model takes text only");
        RefuseIf(Asks(body.Audio), "audio", "this model answers text only");
        RefuseIf(body.ContinueFinalMessage == true, "continue_final_message", "use /v1/completions with the rendered prompt");
        if (body.ChatTemplate is not null)
        {
            throw ApiException.BadRequest("Chat template is passed with request, but a template of the client's is not trusted. Start the node with --chat-template FILE.", "chat_template");
        }
        if (body.Echo == true)
        {
            throw ApiException.NotSupported("echo is not supported in chat.", "echo");
        }
    }

    private static bool Asks(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => true,
    };

    private static void RefuseIf(bool asked, string field, string wayOut)
    {
        if (asked)
        {
            throw ApiException.NotSupported($"{field} is not supported: {wayOut}.", field);
        }
    }
}
