using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Ferry.TestKit.Router;

/// <summary>A vLLM pod that speaks the recorded contract: completions, chat and responses, streamed or not, with kv_transfer_params, and that fails on demand.</summary>
public sealed class FakeVllm : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<FakeVllmRequest> _requests = new();
    private int _failed;
    private int _inFlight;

    private FakeVllm(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://localhost");

    public IReadOnlyList<FakeVllmRequest> Requests => [.. _requests];

    /// <summary>What answers do_remote_decode; <see cref="FakeKv.Null"/>: as a server without connector.</summary>
    public FakeKv Kv { get; set; } = FakeKv.Pull;

    /// <summary>Answers do_remote_decode with parameters; false: with null.</summary>
    public bool LendsKv
    {
        get => Kv != FakeKv.Null;
        set => Kv = value ? FakeKv.Pull : FakeKv.Null;
    }

    /// <summary>remote_host: what the engine binds.</summary>
    public string RemoteHost { get; set; } = "127.0.0.1";

    /// <summary>Lease of the returned parameters, told as remote_blocks_expiry_time; null: not told.</summary>
    public TimeSpan? Lease { get; set; }

    /// <summary>Answers with this status and an error object.</summary>
    public int? FailsWith { get; set; }

    /// <summary>Answers requests for this model with 400.</summary>
    public string? RefusesModel { get; set; }

    /// <summary>How often <see cref="FailsWith"/> holds.</summary>
    public int FailTimes { get; set; } = int.MaxValue;

    /// <summary>Ends answers as vLLM does a failed KV load that its server let through: finish_reason "error", no content.</summary>
    public bool FinishesAsError { get; set; }

    /// <summary>After this many events of a stream comes an error event and [DONE], as when a KV load fails.</summary>
    public int? ErrorAfterEvents { get; set; }

    /// <summary>Cuts the connection after this many events of a stream, once <see cref="CutGate"/> is open: bytes that are still on their way would be lost with it.</summary>
    public int? CutsAfterEvents { get; set; }

    public TaskCompletionSource CutGate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cuts the connection before it answers anything.</summary>
    public bool CutsAtOnce { get; set; }

    /// <summary>Cuts the connection in the middle of an answer in one piece.</summary>
    public bool CutsInHalf { get; set; }

    /// <summary>Waits here before it answers; cancelled with the request.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Waits here after the first event of a stream.</summary>
    public TaskCompletionSource? StreamGate { get; set; }

    /// <summary>Set when a request was cut by its client.</summary>
    public TaskCompletionSource ClientGone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Tokens of an answer.</summary>
    public int Tokens { get; set; } = 4;

    /// <summary>usage.prompt_tokens_details.cached_tokens; null: no details. A pod that is given parameters counts what it fetches: all but the last token.</summary>
    public int? CachedTokens { get; set; }

    /// <summary>What /version says.</summary>
    public string Version { get; set; } = """{"version":"0.26.0"}""";

    /// <summary>More headers of every answer, for example Ferry's proof.</summary>
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>Of the prefill leg, and from one event to the next.</summary>
    public TimeSpan TokenDelay { get; set; }

    /// <summary>Requests that are being answered.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <param name="listen">For TLS; null: plain.</param>
    /// <param name="port">0: any.</param>
    public static async Task<FakeVllm> StartAsync(Action<ListenOptions>? listen = null, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, options => listen?.Invoke(options)));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        var fake = new FakeVllm(app);
        app.UseRouting();
        foreach (var path in (string[])["/v1/completions", "/v1/chat/completions", "/v1/responses", "/tokenize", "/v1/embeddings"])
        {
            app.MapPost(path, fake.AnswerAsync);
        }
        app.MapPost("/v1/audio/transcriptions", fake.UploadAsync);
        app.MapGet("/v1/models", context => WriteJsonAsync(context, """{"object":"list","data":[{"id":"stub","object":"model"}]}"""));
        app.MapGet("/health", _ => Task.CompletedTask);
        app.MapGet("/version", context => WriteJsonAsync(context, fake.Version));
        await app.StartAsync();
        fake.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return fake;
    }

    /// <summary>As a process that is killed: connections are cut, whatever is on them.</summary>
    public async Task KillAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _app.StopAsync(atOnce.Token);
        await DisposeAsync();
    }

    public ValueTask DisposeAsync()
    {
        Gate?.TrySetResult();
        StreamGate?.TrySetResult();
        return _app.DisposeAsync();
    }

    private static Task WriteJsonAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = JsonNode.Parse(await reader.ReadToEndAsync())!.AsObject();
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _requests.Enqueue(new FakeVllmRequest(context.Request.Path, headers, body));
        Interlocked.Increment(ref _inFlight);
        try
        {
            if (Gate is { } gate)
            {
                await gate.Task.WaitAsync(context.RequestAborted);
            }
            await WriteAsync(context, new FakeVllmAnswer(this, context.Request.Path, context.Request.Headers["X-Request-Id"].ToString(), body));
        }
        catch (OperationCanceledException)
        {
            ClientGone.TrySetResult();
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task UploadAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes);
        await context.Response.WriteAsync($$"""{"type":"{{context.Request.ContentType!.Split(';')[0]}}","bytes":{{bytes.Length}}}""");
    }

    private async Task WriteAsync(HttpContext context, FakeVllmAnswer answer)
    {
        if (CutsAtOnce)
        {
            context.Abort();
            return;
        }
        foreach (var (name, value) in Headers)
        {
            context.Response.Headers[name] = value;
        }
        var refuses = RefusesModel is not null && answer.Model == RefusesModel;
        if ((refuses ? 400 : FailsWith) is { } status && Interlocked.Increment(ref _failed) <= FailTimes)
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$$"""{"error":{"message":"as told","type":"BadRequestError","param":null,"code":{{{status}}}}}""");
            return;
        }
        if (answer.IsStream)
        {
            await StreamAsync(context, answer);
            return;
        }
        await Task.Delay(TokenDelay, context.RequestAborted);
        context.Response.ContentType = "application/json";
        var whole = answer.Whole().ToJsonString();
        if (CutsInHalf)
        {
            context.Response.ContentLength = whole.Length;
            await context.Response.WriteAsync(whole[..(whole.Length / 2)], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await CutGate.Task.WaitAsync(context.RequestAborted);
            context.Abort();
            return;
        }
        await context.Response.WriteAsync(whole, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, FakeVllmAnswer answer)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        if (ErrorAfterEvents != 0)
        {
            await context.Response.WriteAsync(": a comment\n\n", context.RequestAborted);
        }
        var count = 0;
        foreach (var one in answer.Events())
        {
            if (CutsAfterEvents == count)
            {
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await CutGate.Task.WaitAsync(context.RequestAborted);
                context.Abort();
                return;
            }
            if (ErrorAfterEvents == count)
            {
                await context.Response.WriteAsync("data: {\"error\": {\"message\": \"Internal server error\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}\n\ndata: [DONE]\n\n", context.RequestAborted);
                return;
            }
            await Task.Delay(TokenDelay, context.RequestAborted);
            await context.Response.WriteAsync(one, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            if (count++ == 0 && StreamGate is { } gate)
            {
                await gate.Task.WaitAsync(context.RequestAborted);
            }
        }
    }
}
