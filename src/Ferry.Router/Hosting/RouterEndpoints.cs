using System.Text;
using System.Text.Json.Nodes;
using Ferry.Kv.Metrics;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Hosting;

/// <summary>What clients may ask of the router.</summary>
internal static class RouterEndpoints
{
    private static readonly string[] GetAndPost = ["GET", "POST"];

    public static void Map(WebApplication app, RouterState state)
    {
        var decode = new DecodeStep(state);
        var pair = new LegPair(state, new PrefillStep(state), decode);
        var generation = new GenerationRoute(state, pair, new FanOutRoute(state, pair));
        var pass = new PassThroughRoute(state, decode);
        // What nearly every request is, before the general way of finding an endpoint.
        app.Use(next => context => generation.TryHandleAsync(context) ?? next(context));
        app.UseRouting();
        foreach (var path in PassThroughRoute.Gets)
        {
            app.MapGet(path, pass.GetAsync);
        }
        foreach (var path in PassThroughRoute.Posts)
        {
            app.MapPost(path, pass.PostAsync);
        }
        app.MapGet("/health", context => HealthAsync(context, state));
        app.MapMethods("/ping", GetAndPost, context => HealthAsync(context, state));
        app.MapGet("/metrics", context => MetricsAsync(context, state));
        app.MapFallback(context => throw new RouterException(404, "NotFoundError", $"There is no {context.Request.Method} {context.Request.Path} here."));
    }

    /// <summary>200 while a decode node answers and takes work (without prefill nodes requests still succeed, decode-only); the body says who does.</summary>
    /// <remarks>Both: a node that answers again is given no request before its probes have said so, and a probe is as old as its interval.</remarks>
    private static async Task HealthAsync(HttpContext context, RouterState state)
    {
        Node[] nodes = [.. state.Runtime.Nodes.Current.Nodes];
        var healthy = await Task.WhenAll(nodes.Select(node => state.Sender.IsHealthyAsync(node, state.Options.HealthTimeout, state.Clock, context.RequestAborted)));
        var body = new JsonObject { ["prefill"] = new JsonObject(), ["decode"] = new JsonObject() };
        var decodes = false;
        var now = state.Runtime.Time.Milliseconds;
        for (var index = 0; index < nodes.Length; index++)
        {
            healthy[index] &= nodes[index].TakesWork(now);
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
}
