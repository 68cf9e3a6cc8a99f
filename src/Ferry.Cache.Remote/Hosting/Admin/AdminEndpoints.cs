using System.Text;
using System.Text.Json.Nodes;
using Ferry.Kv.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>The routes of the admin port. docs/operations.md</summary>
internal static class AdminEndpoints
{
    public static void Map(WebApplication app, ExchangeHost exchange, TimeProvider clock)
    {
        app.MapGet("/metrics", (HttpContext context) => WriteMetricsAsync(context, exchange));
        app.MapGet("/health", (HttpContext context) => AdminJson.WriteAsync(context, Health(exchange)));
        app.MapGet("/state", (HttpContext context) => AdminJson.WriteAsync(context, ExchangeState.ToJson(exchange, clock)));
        new RecordEndpoints(exchange, clock).Map(app);
    }

    private static Task WriteMetricsAsync(HttpContext context, ExchangeHost exchange)
    {
        var text = new StringBuilder();
        exchange.Metrics.WriteText(text);
        context.Response.ContentType = MetricRegistry.ContentType;
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    /// <summary>200 as long as clients are served: a tier that is off makes the exchange poorer, not sick.</summary>
    private static JsonObject Health(ExchangeHost exchange)
    {
        var degraded = ExchangeState.Degraded(exchange);
        return new JsonObject
        {
            ["status"] = degraded.Count == 0 ? "ok" : "degraded",
            ["tiers_off"] = new JsonArray([.. degraded.Select(text => (JsonNode)text)]),
        };
    }
}
