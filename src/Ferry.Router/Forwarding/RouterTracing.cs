using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>Spans of a request and of its legs. Without a listener nothing is made and the client's own trace context passes as it is.</summary>
internal static class RouterTracing
{
    /// <summary>Name of the source, for exporters.</summary>
    public const string SourceName = "Ferry.Router";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The request's own span, a child of the client's when that sent a context. The caller disposes it.</summary>
    public static Activity? StartRequest(HttpContext context)
    {
        if (!Source.HasListeners())
        {
            return null;
        }
        ActivityContext.TryParse(context.Request.Headers.TraceParent, context.Request.Headers.TraceState, isRemote: true, out var client);
        var span = Source.StartActivity("ferry.route", ActivityKind.Server, client);
        span?.SetTag("http.request.method", context.Request.Method);
        span?.SetTag("url.path", context.Request.Path.ToString());
        return span;
    }

    public static void EndRequest(Activity? span, int status, string requestId, string handover)
    {
        span?.SetTag("http.response.status_code", status);
        span?.SetTag("ferry.request_id", requestId);
        span?.SetTag("ferry.handover", handover);
        if (status >= 500)
        {
            span?.SetStatus(ActivityStatusCode.Error);
        }
    }

    public static Activity? StartLeg(string leg, Node node, LegRequest request)
    {
        if (!Source.HasListeners())
        {
            return null;
        }
        var span = Source.StartActivity(leg, ActivityKind.Client);
        span?.SetTag("server.address", node.Address.IdnHost);
        span?.SetTag("server.port", node.Address.Port);
        span?.SetTag("ferry.request_id", request.RequestId);
        return span;
    }

    /// <summary>The request as this leg sends it: a child of its span.</summary>
    public static LegRequest Within(Activity? span, LegRequest request) => span is null ? request : request with { TraceParent = span.Id };

    /// <summary>The answer's first byte is there, or will never be.</summary>
    /// <param name="failure">Null: none.</param>
    public static void Answered(Activity? span, int? status, string? failure)
    {
        if (span is null)
        {
            return;
        }
        span.AddEvent(new ActivityEvent("first_byte"));
        if (status is { } known)
        {
            span.SetTag("http.response.status_code", known);
        }
        if (failure is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, failure);
        }
    }
}
