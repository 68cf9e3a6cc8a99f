using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The part of a Kubernetes API server that verify and diagnose use: pods by label, their logs, programs run inside them (the v4 channels over a WebSocket).</summary>
internal sealed class FakePods : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _config = Path.GetTempFileName();

    private FakePods(WebApplication app) => _app = app;

    /// <summary>Pods by name.</summary>
    public Dictionary<string, Pod> Pods { get; } = [];

    /// <summary>What a process needs to talk to it.</summary>
    public Dictionary<string, string> Environment => new() { ["KUBECONFIG"] = _config };

    public static async Task<FakePods> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        var fake = new FakePods(app);
        app.UseWebSockets();
        app.UseRouting();
        app.MapGet("/api/v1/namespaces/ai/pods", fake.ListAsync);
        app.MapGet("/api/v1/namespaces/ai/pods/{name}/log", fake.LogAsync);
        app.MapGet("/api/v1/namespaces/ai/pods/{name}/exec", fake.ExecAsync);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await File.WriteAllTextAsync(fake._config, $$"""
            apiVersion: v1
            kind: Config
            current-context: here
            clusters: [{ name: here, cluster: { server: "{{address}}" } }]
            users: [{ name: me, user: { token: not-a-secret } }]
            contexts: [{ name: here, context: { cluster: here, user: me, namespace: ai } }]
            """);
        return fake;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        File.Delete(_config);
    }

    private Task ListAsync(HttpContext context)
    {
        var wanted = context.Request.Query["labelSelector"].ToString();
        var items = Pods.Where(pod => wanted.Split(',').Contains($"app.kubernetes.io/name={pod.Value.Process}")).Select(pod => (JsonNode)new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = pod.Key, ["namespace"] = "ai" },
            ["status"] = new JsonObject { ["phase"] = "Running", ["podIP"] = "127.0.0.1" },
        });
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(new JsonObject { ["kind"] = "PodList", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["items"] = new JsonArray([.. items]) }.ToJsonString());
    }

    private Task LogAsync(HttpContext context)
    {
        if (Pods.TryGetValue((string)context.Request.RouteValues["name"]!, out var pod))
        {
            // As the API server does with timestamps: each line begins with its own.
            var from = int.TryParse(context.Request.Query["sinceSeconds"], out var seconds) ? TimeProvider.System.GetUtcNow().AddSeconds(-seconds) : DateTimeOffset.MinValue;
            var lines = pod.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !DateTimeOffset.TryParse(line.Split(' ')[0], out var at) || at >= from);
            return context.Response.WriteAsync(string.Concat(lines.Select(line => line + "\n")));
        }
        context.Response.StatusCode = 404;
        return context.Response.WriteAsync("""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"pods not found","code":404}""");
    }

    private async Task ExecAsync(HttpContext context)
    {
        var pod = Pods[(string)context.Request.RouteValues["name"]!];
        var (exit, output) = pod.Run([.. context.Request.Query["command"].OfType<string>()]);
        using var socket = await context.WebSockets.AcceptWebSocketAsync("v4.channel.k8s.io");
        await SendAsync(socket, 1, Encoding.UTF8.GetBytes(output));
        var status = exit == 0 ? """{"metadata":{},"status":"Success"}"""
            : $$$"""{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","message":"it failed","details":{"causes":[{"reason":"ExitCode","message":"{{{exit}}}"}]}}""";
        await SendAsync(socket, 3, Encoding.UTF8.GetBytes(status));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static Task SendAsync(WebSocket socket, byte channel, byte[] bytes) =>
        socket.SendAsync((byte[])[channel, .. bytes], WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <param name="Process">The label's value.</param>
    /// <param name="Log">Its whole log.</param>
    /// <param name="Run">Exit status and output of a command inside.</param>
    public sealed record Pod(string Process, string Log, Func<string[], (int Exit, string Output)> Run);
}
