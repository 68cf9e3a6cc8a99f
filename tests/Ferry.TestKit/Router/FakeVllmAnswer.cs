using System.Text.Json.Nodes;

namespace Ferry.TestKit.Router;

/// <summary>One answer in vLLM's words. Prompts have 5 tokens; token i of an answer is " tok{i}".</summary>
internal sealed class FakeVllmAnswer(FakeVllm pod, string path, string requestId, JsonObject body)
{
    private const int PromptTokens = 5;
    private static int _served;

    public bool IsStream => body["stream"]?.GetValue<bool>() == true;

    public string? Model => body["model"]?.GetValue<string>();

    private bool IsChat => path.Contains("chat", StringComparison.Ordinal);

    private bool IsResponses => path == "/v1/responses";

    private bool EchoesOnly => Echoes && Number("max_tokens") == 0;

    private bool Echoes => !IsChat && body["echo"]?.GetValue<bool>() == true;

    private string Id => (IsChat ? "chatcmpl-" : IsResponses ? "resp_" : "cmpl-") + requestId;

    private int Tokens => Math.Min(pod.Tokens, Number("max_completion_tokens") ?? Number("max_output_tokens") ?? Number("max_tokens") ?? pod.Tokens);

    private string Finish => pod.FinishesAsError ? "error" : "length";

    /// <summary>Token ids or text, as one text.</summary>
    private string PromptText => body["prompt"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : body["prompt"]?.ToJsonString() ?? "";

    public JsonObject Whole()
    {
        if (IsResponses)
        {
            return Response("completed");
        }
        var reply = Envelope(IsChat ? "chat.completion" : "text_completion");
        reply["choices"] = new JsonArray(Choices().ToArray<JsonNode?>());
        reply["usage"] = Usage();
        if (IsChat && Number("prompt_logprobs") is not null)
        {
            reply["prompt_logprobs"] = PromptLogprobs();
        }
        reply["kv_transfer_params"] = Params();
        return reply;
    }

    public IEnumerable<string> Events() => IsResponses ? ResponseEvents() : ChunkEvents();

    private IEnumerable<string> ChunkEvents()
    {
        if (IsChat)
        {
            yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "" }, null, 0);
        }
        for (var index = 0; index < Tokens; index++)
        {
            var text = (index == 0 && Echoes ? PromptText : "") + $" tok{index}";
            yield return Chunk(IsChat ? new JsonObject { ["content"] = text } : text, index + 1 == Tokens ? Finish : null, index);
        }
        if (body["stream_options"]?["include_usage"]?.GetValue<bool>() == true)
        {
            var last = Envelope(IsChat ? "chat.completion.chunk" : "text_completion");
            last["choices"] = new JsonArray();
            last["usage"] = Usage();
            yield return $"data: {last.ToJsonString()}\n\n";
        }
        yield return "data: [DONE]\n\n";
    }

    private string Chunk(JsonNode piece, string? finish, int token)
    {
        var choice = new JsonObject { ["index"] = 0, ["logprobs"] = body["logprobs"] is null || IsChat ? null : Logprobs(false, token, token + 1), ["finish_reason"] = finish };
        choice[IsChat ? "delta" : "text"] = piece;
        var chunk = Envelope(IsChat ? "chat.completion.chunk" : "text_completion");
        chunk["choices"] = new JsonArray(choice);
        return $"data: {chunk.ToJsonString()}\n\n";
    }

    private IEnumerable<string> ResponseEvents()
    {
        yield return Event("response.created", new JsonObject { ["response"] = Response("in_progress") });
        for (var index = 0; index < Tokens; index++)
        {
            yield return Event("response.output_text.delta", new JsonObject { ["item_id"] = "msg_1", ["output_index"] = 0, ["content_index"] = 0, ["delta"] = $" tok{index}", ["logprobs"] = new JsonArray() });
        }
        yield return Event("response.completed", new JsonObject { ["response"] = Response("completed") });
    }

    private static string Event(string type, JsonObject data)
    {
        var whole = new JsonObject { ["type"] = type, ["sequence_number"] = 0 };
        foreach (var (name, value) in data)
        {
            whole[name] = value?.DeepClone();
        }
        return $"event: {type}\ndata: {whole.ToJsonString()}\n\n";
    }

    private JsonObject Response(string status) => new()
    {
        ["id"] = Id,
        ["object"] = "response",
        ["created_at"] = 1700000000,
        ["status"] = status,
        ["model"] = "stub",
        ["output"] = new JsonArray(new JsonObject
        {
            ["type"] = "message",
            ["id"] = "msg_1",
            ["role"] = "assistant",
            ["status"] = status,
            ["content"] = new JsonArray(new JsonObject { ["type"] = "output_text", ["text"] = Text(), ["annotations"] = new JsonArray() }),
        }),
        ["parallel_tool_calls"] = true,
        ["tool_choice"] = "auto",
        ["tools"] = new JsonArray(),
        ["usage"] = new JsonObject
        {
            ["input_tokens"] = PromptTokens,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = Cached() ?? 0 },
            ["output_tokens"] = Tokens,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
            ["total_tokens"] = PromptTokens + Tokens,
        },
        ["kv_transfer_params"] = Params(),
    };

    /// <summary>A choice a prompt and n, numbered as vLLM does; a seed of its own shows in the text.</summary>
    private IEnumerable<JsonObject> Choices()
    {
        // A list of token ids is one prompt; a list of texts or of lists is several.
        var prompts = body["prompt"] is JsonArray { Count: > 0 } list && list[0]!.GetValueKind() != System.Text.Json.JsonValueKind.Number ? list.Count : 1;
        var count = prompts * (Number("n") ?? 1);
        for (var index = 0; index < count; index++)
        {
            var choice = new JsonObject
            {
                ["index"] = index,
                ["finish_reason"] = Finish,
                ["stop_reason"] = null,
                ["logprobs"] = body["logprobs"] is null || IsChat ? null : Logprobs(Echoes, 0, EchoesOnly ? 0 : Tokens),
            };
            if (IsChat)
            {
                var message = new JsonObject { ["role"] = "assistant" };
                if (!pod.FinishesAsError)
                {
                    message["content"] = Text();
                }
                choice["message"] = message;
            }
            else
            {
                choice["text"] = Echoes ? PromptText + (EchoesOnly ? "" : Text()) : Text();
                choice["prompt_logprobs"] = Number("prompt_logprobs") is null ? null : PromptLogprobs();
            }
            yield return choice;
        }
    }

    private string Text() => string.Concat(Enumerable.Range(0, Tokens).Select(index => $" tok{index}")) + (Number("seed") is { } seed and > 1000 ? $" seed{seed}" : "");

    private JsonArray PromptLogprobs() => [null, new JsonObject { ["7"] = new JsonObject { ["logprob"] = -1.5, ["rank"] = 1, ["decoded_token"] = "p1" } }];

    private JsonObject Logprobs(bool withPrompt, int from, int to)
    {
        string[] prompt = withPrompt ? [PromptText[..1], PromptText[1..]] : [];
        string[] tokens = [.. prompt, .. Enumerable.Range(from, to - from).Select(index => $" tok{index}")];
        var offsets = new JsonArray();
        var offset = Enumerable.Range(0, from).Sum(index => $" tok{index}".Length);
        foreach (var token in tokens)
        {
            offsets.Add(offset);
            offset += token.Length;
        }
        return new JsonObject
        {
            ["tokens"] = new JsonArray([.. tokens.Select(token => JsonValue.Create(token))]),
            ["token_logprobs"] = new JsonArray([.. tokens.Select((_, index) => withPrompt && index == 0 ? null : JsonValue.Create(-0.25 * (from + index)))]),
            ["top_logprobs"] = new JsonArray([.. tokens.Select((token, index) => withPrompt && index == 0 ? null : new JsonObject { [token] = -0.25 })]),
            ["text_offset"] = offsets,
        };
    }

    private JsonObject Envelope(string kind) => new() { ["id"] = Id, ["object"] = kind, ["created"] = 1700000000, ["model"] = "stub" };

    private JsonObject Usage()
    {
        var usage = new JsonObject { ["prompt_tokens"] = PromptTokens, ["completion_tokens"] = Tokens, ["total_tokens"] = PromptTokens + Tokens };
        if (Cached() is { } cached)
        {
            usage["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = cached };
        }
        return usage;
    }

    private int? Cached() => pod.CachedTokens is null ? null : body["kv_transfer_params"]?["do_remote_prefill"]?.GetValue<bool>() == true ? PromptTokens - 1 : pod.CachedTokens;

    private JsonObject? Params()
    {
        if (pod.Kv == FakeKv.Null || body["kv_transfer_params"]?["do_remote_decode"]?.GetValue<bool>() != true)
        {
            return null;
        }
        var number = Interlocked.Increment(ref _served);
        var parameters = new JsonObject
        {
            ["do_remote_prefill"] = true,
            ["do_remote_decode"] = false,
            ["remote_block_ids"] = pod.Kv == FakeKv.PullFlat ? new JsonArray(1, 2, 3, number) : new JsonArray(new JsonArray(1, 2, 3, number)),
            ["remote_engine_id"] = "3f1c2a34-0000-4000-8000-0000000000aa",
            ["remote_host"] = pod.RemoteHost,
            ["remote_port"] = 5600,
            ["tp_size"] = 1,
        };
        if (pod.Kv != FakeKv.PullFlat)
        {
            parameters["remote_request_id"] = $"{Id}-0-{number:x8}";
            parameters["transfer_mode"] = pod.Kv == FakeKv.Push ? "push" : "pull";
            parameters["remote_blocks_expiry_time"] = pod.Lease is { } lease ? (DateTimeOffset.UtcNow + lease).ToUnixTimeMilliseconds() / 1000.0 : null;
        }
        if (pod.Kv == FakeKv.Ferry)
        {
            parameters["ferry"] = new JsonObject { ["lease_id"] = $"lease-{number}", ["generation"] = "00000000000000ff" };
        }
        return parameters;
    }

    private int? Number(string name) => body[name] is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}
