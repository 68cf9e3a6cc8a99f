using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.Kv.Metrics;
using Ferry.Router.Admission;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;
using Ferry.Router.Metrics;
using Ferry.Router.Policies;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Hosting;

/// <summary>The router's HTTP server.</summary>
public sealed class RouterHost : IAsyncDisposable
{
    private static readonly string[] GetAndPost = ["GET", "POST"];

    private readonly WebApplication _app;
    private readonly LegSender _sender;

    private RouterHost(WebApplication app, LegSender sender)
    {
        _app = app;
        _sender = sender;
    }

    /// <summary>Where clients reach it, with the port that was taken.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <param name="options">Already valid.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<RouterHost> StartAsync(RouterOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        // The empty builder reads no files and no ASPNETCORE_ environment: the flags alone decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.AddRoutingCore();
        logging(builder.Logging);
        var app = builder.Build();
        var sender = new LegSender(options);
        var metrics = new RouterMetrics();
        var prefill = new NodePool(options.Prefill, NodeRole.Prefill, NodePolicies.Create(options.Policy));
        var decode = new NodePool(options.Decode, NodeRole.Decode, NodePolicies.Create(options.Policy));
        var state = new RouterState(
            options, prefill, decode, new NodeChooser(prefill, decode, metrics, clock), new AdmissionQueue(options.MaxInFlight), sender, metrics, clock, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ferry.Router"));
        app.UseRouting();
        app.UseMiddleware<RouterMiddleware>(state);
        Map(app, state);
        var host = new RouterHost(app, sender);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            .Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
        return host;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _sender.Dispose();
    }

    private static void Map(IEndpointRouteBuilder routes, RouterState state)
    {
        var prefill = new PrefillStep(state);
        var decode = new DecodeStep(state);
        var generation = new GenerationRoute(state, prefill, decode, new FanOutRoute(state, prefill, decode));
        var pass = new PassThroughRoute(state, decode);
        routes.MapPost("/v1/completions", context => generation.HandleAsync(context, isChat: false));
        routes.MapPost("/v1/chat/completions", context => generation.HandleAsync(context, isChat: true));
        foreach (var path in PassThroughRoute.Gets)
        {
            routes.MapGet(path, pass.GetAsync);
        }
        foreach (var path in PassThroughRoute.Posts)
        {
            routes.MapPost(path, pass.PostAsync);
        }
        routes.MapGet("/health", context => HealthAsync(context, state));
        routes.MapMethods("/ping", GetAndPost, context => HealthAsync(context, state));
        routes.MapGet("/metrics", context => MetricsAsync(context, state));
        routes.MapFallback(context => throw new RouterException(404, "NotFoundError", $"There is no {context.Request.Method} {context.Request.Path} here."));
    }

    /// <summary>200 while a decode node answers (without prefill nodes requests still succeed, decode-only); the body says who does.</summary>
    private static async Task HealthAsync(HttpContext context, RouterState state)
    {
        Node[] nodes = [.. state.Prefill.Nodes, .. state.Decode.Nodes];
        var healthy = await Task.WhenAll(nodes.Select(node => state.Sender.IsHealthyAsync(node, state.Options.HealthTimeout, state.Clock, context.RequestAborted)));
        var body = new JsonObject { ["prefill"] = new JsonObject(), ["decode"] = new JsonObject() };
        var decodes = false;
        for (var index = 0; index < nodes.Length; index++)
        {
            body[nodes[index].Role == NodeRole.Prefill ? "prefill" : "decode"]![nodes[index].Name] = healthy[index];
            decodes |= healthy[index] && nodes[index].Role == NodeRole.Decode;
        }
        context.Response.StatusCode = decodes ? 200 : 503;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
    }

    private static Task MetricsAsync(HttpContext context, RouterState state)
    {
        var text = new StringBuilder();
        state.Metrics.Registry.WriteText(text);
        context.Response.ContentType = MetricRegistry.ContentType;
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    private static void Configure(KestrelServerOptions kestrel, RouterOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Listen(IPAddress.TryParse(options.Host, out var address) ? address : Dns.GetHostAddresses(options.Host)[0], options.Port);
    }
}
