using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ferry.TestKit.Router;

/// <summary>A vLLM pod that speaks the recorded contract: completions and chat, streamed or not, with kv_transfer_params.</summary>
public sealed class FakeVllm : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<FakeVllmRequest> _requests = new();
    private int _served;

    private FakeVllm(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://localhost");

    public IReadOnlyList<FakeVllmRequest> Requests => [.. _requests];

    /// <summary>Answers do_remote_decode with parameters; false: with null, as a server without connector.</summary>
    public bool LendsKv { get; set; } = true;

    /// <summary>Answers everything with this status and an error object.</summary>
    public int? FailsWith { get; set; }

    /// <summary>Cuts the connection after this many events of a stream, once <see cref="CutGate"/> is open: bytes that are still on their way would be lost with it.</summary>
    public int? CutsAfterEvents { get; set; }

    public TaskCompletionSource CutGate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits here before it answers; cancelled with the request.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Set when a request was cut by its client.</summary>
    public TaskCompletionSource ClientGone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Tokens of an answer.</summary>
    public int Tokens { get; set; } = 4;

    public static async Task<FakeVllm> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        var fake = new FakeVllm(app);
        app.UseRouting();
        app.MapPost("/v1/completions", context => fake.AnswerAsync(context, isChat: false));
        app.MapPost("/v1/chat/completions", context => fake.AnswerAsync(context, isChat: true));
        app.MapPost("/tokenize", context => fake.AnswerAsync(context, isChat: false));
        app.MapGet("/v1/models", context => context.Response.WriteAsync("""{"object":"list","data":[{"id":"stub","object":"model"}]}"""));
        app.MapGet("/health", _ => Task.CompletedTask);
        app.MapGet("/version", context => context.Response.WriteAsync("""{"version":"0.26.0"}"""));
        await app.StartAsync();
        fake.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return fake;
    }

    public ValueTask DisposeAsync()
    {
        Gate?.TrySetResult();
        return _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context, bool isChat)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = JsonNode.Parse(await reader.ReadToEndAsync())!.AsObject();
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _requests.Enqueue(new FakeVllmRequest(context.Request.Path, headers, body));
        try
        {
            if (Gate is { } gate)
            {
                await gate.Task.WaitAsync(context.RequestAborted);
            }
            await WriteAsync(context, body, isChat);
        }
        catch (OperationCanceledException)
        {
            ClientGone.TrySetResult();
        }
    }

    private async Task WriteAsync(HttpContext context, JsonObject body, bool isChat)
    {
        if (FailsWith is { } status)
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$$"""{"error":{"message":"as told","type":"BadRequestError","param":null,"code":{{{status}}}}}""");
            return;
        }
        var id = (isChat ? "chatcmpl-" : "cmpl-") + context.Request.Headers["X-Request-Id"];
        var tokens = Math.Min(Tokens, body["max_tokens"]?.GetValue<int>() ?? Tokens);
        if (body["stream"]?.GetValue<bool>() == true)
        {
            await StreamAsync(context, body, id, tokens, isChat);
            return;
        }
        var text = string.Concat(Enumerable.Range(0, tokens).Select(index => $" tok{index}"));
        var choice = new JsonObject { ["index"] = 0, ["finish_reason"] = "length", ["stop_reason"] = null, ["logprobs"] = null };
        choice[isChat ? "message" : "text"] = isChat ? new JsonObject { ["role"] = "assistant", ["content"] = text } : text;
        var reply = Envelope(id, isChat ? "chat.completion" : "text_completion");
        reply["choices"] = new JsonArray(choice);
        reply["usage"] = Usage(tokens);
        reply["kv_transfer_params"] = Params(body);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(reply.ToJsonString(), context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, JsonObject body, string id, int tokens, bool isChat)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        await context.Response.WriteAsync(": a comment\n\n", context.RequestAborted);
        for (var index = 0; index < tokens; index++)
        {
            if (CutsAfterEvents == index)
            {
                await CutGate.Task.WaitAsync(context.RequestAborted);
                context.Abort();
                return;
            }
            var choice = new JsonObject { ["index"] = 0, ["logprobs"] = null, ["finish_reason"] = index + 1 == tokens ? "length" : null };
            choice[isChat ? "delta" : "text"] = isChat ? new JsonObject { ["content"] = $" tok{index}" } : $" tok{index}";
            var chunk = Envelope(id, isChat ? "chat.completion.chunk" : "text_completion");
            chunk["choices"] = new JsonArray(choice);
            await context.Response.WriteAsync($"data: {chunk.ToJsonString()}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
        if (body["stream_options"]?["include_usage"]?.GetValue<bool>() == true)
        {
            var last = Envelope(id, isChat ? "chat.completion.chunk" : "text_completion");
            last["choices"] = new JsonArray();
            last["usage"] = Usage(tokens);
            await context.Response.WriteAsync($"data: {last.ToJsonString()}\n\n", context.RequestAborted);
        }
        await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
    }

    private JsonObject? Params(JsonObject body)
    {
        if (!LendsKv || body["kv_transfer_params"]?["do_remote_decode"]?.GetValue<bool>() != true)
        {
            return null;
        }
        var number = Interlocked.Increment(ref _served);
        return new JsonObject
        {
            ["do_remote_prefill"] = true,
            ["do_remote_decode"] = false,
            ["remote_block_ids"] = new JsonArray(new JsonArray(1, 2, 3, number)),
            ["remote_engine_id"] = "3f1c2a34-0000-4000-8000-0000000000aa",
            ["remote_request_id"] = $"cmpl-p-{number}",
            ["remote_host"] = "127.0.0.1",
            ["remote_port"] = 5600,
            ["tp_size"] = 1,
        };
    }

    private static JsonObject Envelope(string id, string kind) => new() { ["id"] = id, ["object"] = kind, ["created"] = 1700000000, ["model"] = "stub" };

    private static JsonObject Usage(int tokens) => new() { ["prompt_tokens"] = 5, ["completion_tokens"] = tokens, ["total_tokens"] = 5 + tokens };
}
