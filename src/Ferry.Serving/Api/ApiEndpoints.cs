using System.Text;
using Ferry.Kv.Metrics;
using Ferry.Serving.Api.Chat;
using Ferry.Serving.Api.Completions;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Models;
using Ferry.Serving.Api.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ferry.Serving.Api;

/// <summary>The routes of a node: vLLM's.</summary>
internal static class ApiEndpoints
{
    private static readonly string[] GetAndPost = ["GET", "POST"];

    public static void Map(IEndpointRouteBuilder routes, ApiState api)
    {
        var chat = new ChatPrompt(api.Engine, api.Clock);
        var completions = new CompletionsEndpoint(api);
        var chats = new ChatEndpoint(api, chat);
        var tokens = new TokensEndpoint(api, chat);
        routes.MapPost("/v1/completions", completions.HandleAsync);
        routes.MapPost("/v1/chat/completions", chats.HandleAsync);
        routes.MapPost("/tokenize", tokens.TokenizeAsync);
        routes.MapPost("/detokenize", tokens.DetokenizeAsync);
        routes.MapGet("/v1/models", context => ModelsAsync(context, api));
        routes.MapGet("/version", context => ServingJson.WriteAsync(context, new VersionBody(Version), ServingJsonContext.Wire.VersionBody));
        routes.MapGet("/ferry/handover", context => HandoverAsync(context, api));
        routes.MapGet("/health", context => HealthAsync(context, api));
        routes.MapMethods("/ping", GetAndPost, context => HealthAsync(context, api));
        routes.MapGet("/metrics", context => MetricsAsync(context, api));
        routes.MapFallback(context => throw new ApiException(404, "NotFoundError", $"There is no {context.Request.Method} {context.Request.Path} here."));
    }

    /// <summary>Version of this build.</summary>
    public static string Version { get; } = typeof(ApiEndpoints).Assembly.GetName().Version?.ToString(3) ?? "0";

    private static Task ModelsAsync(HttpContext context, ApiState api)
    {
        var created = api.UnixSeconds;
        var cards = api.ModelNames.Select(name => new ModelCard(
            name, created, api.Engine.Info.ModelPath is { Length: > 0 } path ? path : name, api.Engine.Info.MaxModelLen, [new ModelPermission($"modelperm-{Guid.NewGuid():N}", created)]));
        return ServingJson.WriteAsync(context, new ModelList([.. cards]), ServingJsonContext.Wire.ModelList);
    }

    /// <summary>Where a prefill node may push KV for this one: the router asks, and tells it.</summary>
    private static Task HandoverAsync(HttpContext context, ApiState api) =>
        api.Reports?.Snapshot().PushTo is { } place
            ? ServingJson.WriteAsync(context, place, ServingJsonContext.Wire.KvPushPlace)
            : throw new ApiException(404, "NotFoundError", "This node takes no pushes (handover_mode is pull).");

    /// <summary>200 with an empty body while the engine runs; 503 when it has stopped.</summary>
    private static Task HealthAsync(HttpContext context, ApiState api)
    {
        context.Response.StatusCode = api.Engine.IsRunning ? 200 : 503;
        return Task.CompletedTask;
    }

    private static Task MetricsAsync(HttpContext context, ApiState api)
    {
        var text = new StringBuilder();
        api.Metrics.Registry.WriteText(text);
        context.Response.ContentType = MetricRegistry.ContentType;
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }
}
