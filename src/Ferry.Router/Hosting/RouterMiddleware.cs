using Ferry.Router.Forwarding;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Hosting;

/// <summary>The edge of a request: bounds what is in flight, turns what is thrown into vLLM's error JSON, and counts.</summary>
internal sealed class RouterMiddleware(RequestDelegate next, RouterState router)
{
    private static readonly PathString[] Unbounded = ["/health", "/ping", "/metrics"];

    private int _inFlight;

    public async Task InvokeAsync(HttpContext context)
    {
        if (Unbounded.Contains(context.Request.Path))
        {
            await next(context);
            return;
        }
        var started = router.Clock.GetTimestamp();
        if (Interlocked.Increment(ref _inFlight) > router.Options.MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            router.Metrics.Refused();
            context.Response.Headers.RetryAfter = "1";
            await WriteAsync(context, new RouterException(429, "TooManyRequestsError", $"{router.Options.MaxInFlight} requests are in flight, which is this router's limit. Try again."));
            return;
        }
        router.Metrics.InFlight(1);
        try
        {
            await GuardAsync(context);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
            router.Metrics.InFlight(-1);
            var path = context.GetEndpoint() is null ? "other" : context.Request.Path.ToString();
            router.Metrics.RequestDone(path, context.Response.StatusCode, router.Clock.GetElapsedTime(started));
        }
    }

    private async Task GuardAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            RouterLog.ClientGone(router.Logger, context.TraceIdentifier);
        }
        catch (RouterException error)
        {
            await WriteAsync(context, error);
        }
        catch (BadHttpRequestException error)
        {
            await WriteAsync(context, new RouterException(error.StatusCode, error.StatusCode == 413 ? "RequestEntityTooLargeError" : "BadRequestError", error.Message));
        }
        catch (Exception exception)
        {
            RouterLog.RequestFailed(router.Logger, context.TraceIdentifier, exception);
            await WriteAsync(context, new RouterException(500, "InternalServerError", "Internal server error"));
        }
    }

    private static async Task WriteAsync(HttpContext context, RouterException error)
    {
        if (context.Response.HasStarted)
        {
            if (context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true)
            {
                await context.Response.Body.WriteAsync(RouterError.Event(error.Message, atEventEnd: true), context.RequestAborted);
                return;
            }
            context.Abort();
            return;
        }
        var body = RouterError.Body(error);
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
