using System.Globalization;
using Ferry.Router.Forwarding;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Hosting;

/// <summary>The edge of a request: bounds what is in flight, turns what is thrown into vLLM's error JSON, counts, and logs one line.</summary>
internal sealed class RouterMiddleware(RequestDelegate next, RouterState router)
{
    private static readonly PathString[] Unbounded = ["/health", "/ping", "/metrics"];

    public async Task InvokeAsync(HttpContext context)
    {
        if (Unbounded.Contains(context.Request.Path))
        {
            await next(context);
            return;
        }
        var started = router.Clock.GetTimestamp();
        var account = RequestAccount.Of(context);
        using var span = RouterTracing.StartRequest(context);
        router.Metrics.InFlight(1);
        try
        {
            await GuardAsync(context, account);
        }
        finally
        {
            router.Metrics.InFlight(-1);
            Tell(context, account, router.Clock.GetElapsedTime(started));
            RouterTracing.EndRequest(span, context.Response.StatusCode, account.RequestId, account.Handover);
        }
    }

    private async Task GuardAsync(HttpContext context, RequestAccount account)
    {
        try
        {
            using var keyed = router.Runtime.Keys.Enter(context, account);
            using var place = await router.Admission.EnterAsync(account.Tenant, Math.Max(PriorityOf(context), account.Tenant.LeastPriority), context.Request.ContentLength, context.RequestAborted);
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            account.Outcome = "client-gone";
        }
        catch (RouterException error)
        {
            if (error.Status == 429)
            {
                router.Metrics.Refused();
            }
            await WriteAsync(context, account, error);
        }
        catch (BadHttpRequestException error)
        {
            await WriteAsync(context, account, new RouterException(error.StatusCode, error.StatusCode == 413 ? "RequestEntityTooLargeError" : "BadRequestError", error.Message));
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            RouterLog.RequestFailed(router.Logger, account.RequestId, exception);
            await WriteAsync(context, account, new RouterException(500, "InternalServerError", "Internal server error"));
        }
        catch (Exception)
        {
            account.Outcome = "client-gone";   // whatever a broken connection throws from in there
        }
    }

    private void Tell(HttpContext context, RequestAccount account, TimeSpan elapsed)
    {
        router.Metrics.RequestDone(account.Path, context.Response.StatusCode, elapsed);
        RouterLog.RequestDone(
            router.Logger, account.RequestId, context.Request.Method, context.Request.Path.Value!, context.Response.StatusCode, account.Outcome, account.Tenant.Name,
            account.Prefill, account.PrefillTime.TotalMilliseconds, account.Decode, account.Handover, account.Retries, account.PromptTokens, account.CachedTokens, account.OutputTokens,
            elapsed.TotalMilliseconds);
    }

    /// <summary>vLLM's header; absent or no number: 0.</summary>
    private static int PriorityOf(HttpContext context) =>
        int.TryParse(context.Request.Headers["priority"], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority) ? priority : 0;

    private static async Task WriteAsync(HttpContext context, RequestAccount account, RouterException error)
    {
        account.Outcome = error.Message;
        try
        {
            if (context.Response.HasStarted)
            {
                if (context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true)
                {
                    await context.Response.Body.WriteAsync(RouterError.Event(error.Message, atEventEnd: false), context.RequestAborted);
                    return;
                }
                context.Abort();
                return;
            }
            if (error.RetryAfter is { } pause)
            {
                context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(pause.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            }
            var body = RouterError.Body(error);
            context.Response.StatusCode = error.Status;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            account.Outcome = "client-gone";
        }
    }
}
