using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ferry.TestKit.Router;

/// <summary>A pod for measurements: vLLM's contract with canned answers and set delays, and as little work as a server can do.</summary>
public sealed class SteadyPod : IAsyncDisposable
{
    /// <summary>What is looked at of a body: a second leg has its parameters before what the client wrote.</summary>
    private const int AskBytes = 4096;

    private readonly WebApplication _app;
    private readonly SteadyPodOptions _options;
    private readonly byte[] _whole;
    private readonly byte[] _event;
    private readonly byte[] _last;

    private SteadyPod(WebApplication app, SteadyPodOptions options)
    {
        (_app, _options) = (app, options);
        _whole = Encoding.UTF8.GetBytes(
            """{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"stub","choices":[{"index":0,"text":" token token token token token token token token","logprobs":null,"finish_reason":"length","stop_reason":null}],"usage":{"prompt_tokens":256,"completion_tokens":16,"total_tokens":272,"prompt_tokens_details":{"cached_tokens":255}},"kv_transfer_params":"""
            + (options.Blocks > 0 ? Params(options.Blocks) : "null") + "}");
        _event = """data: {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"stub","choices":[{"index":0,"text":" token","logprobs":null,"finish_reason":null,"stop_reason":null}]}"""u8.ToArray().Concat("\n\n"u8.ToArray()).ToArray();
        _last = "data: [DONE]\n\n"u8.ToArray();
    }

    public Uri Address { get; private set; } = new("http://localhost");

    public static async Task<SteadyPod> StartAsync(SteadyPodOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        var app = builder.Build();
        var pod = new SteadyPod(app, options);
        app.Run(pod.AnswerAsync);
        await app.StartAsync();
        pod.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return pod;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync("""{"version":"0.26.0"}""");
            return;
        }
        var streams = await ReadAsync(context.Request.BodyReader);
        var begun = Stopwatch.GetTimestamp();
        await PauseAsync(_options.FirstDelay, context.RequestAborted);
        if (!streams)
        {
            context.Response.ContentType = "application/json";
            if (_options.Held is { } held)
            {
                var id = context.Request.Headers["X-Request-Id"].ToString();
                if (_options.Blocks > 0)
                {
                    held.Note(id, Stopwatch.GetElapsedTime(begun));   // a prefill leg: the decode leg tells
                }
                else
                {
                    var head = held.Tell(id, Stopwatch.GetElapsedTime(begun));
                    context.Response.ContentLength = head.Length + _whole.Length - 1;
                    context.Response.BodyWriter.Write(head);
                    await context.Response.BodyWriter.WriteAsync(_whole.AsMemory(1), context.RequestAborted);
                    return;
                }
            }
            context.Response.ContentLength = _whole.Length;
            await context.Response.BodyWriter.WriteAsync(_whole, context.RequestAborted);
            return;
        }
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        for (var index = 0; index < _options.Events; index++)
        {
            await context.Response.BodyWriter.WriteAsync(_event, context.RequestAborted);
            if (_options.HoldsAfterFirst)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            await PauseAsync(_options.TokenDelay, context.RequestAborted);
        }
        await context.Response.BodyWriter.WriteAsync(_last, context.RequestAborted);
    }

    private static Task PauseAsync(TimeSpan delay, CancellationToken cancellationToken) => delay > TimeSpan.Zero ? Task.Delay(delay, cancellationToken) : Task.CompletedTask;

    /// <summary>Whether the body asks for a stream; it says so near its beginning.</summary>
    private static async Task<bool> ReadAsync(System.IO.Pipelines.PipeReader reader)
    {
        bool? streams = null;
        while (true)
        {
            var result = await reader.ReadAsync();
            streams ??= result.Buffer.Length > 0 ? Asks(result.Buffer.Slice(0, Math.Min(AskBytes, result.Buffer.Length))) : null;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return streams == true;
            }
        }
    }

    private static bool Asks(ReadOnlySequence<byte> start)
    {
        ReadOnlySpan<byte> bytes = start.ToArray();
        var name = bytes.IndexOf("\"stream\""u8);
        return name >= 0 && bytes[(name + 8)..].TrimStart(" :"u8).StartsWith("true"u8); // Python writes a blank behind the colon.
    }

    private static string Params(int blocks) =>
        $$"""{"do_remote_prefill":true,"do_remote_decode":false,"remote_block_ids":[[{{string.Join(", ", Enumerable.Range(1000, blocks))}}]],"remote_engine_id":"3f1c2a34-0000-4000-8000-0000000000aa","remote_request_id":"cmpl-1-0-00000001","remote_host":"127.0.0.1","remote_port":5600,"tp_size":4,"remote_num_tokens":256,"remote_blocks_expiry_time":null,"transfer_mode":"pull"}""";
}
