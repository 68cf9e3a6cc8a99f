using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>POST /v1/completions and /v1/chat/completions: two legs.</summary>
internal sealed class GenerationRoute(RouterState router, PrefillStep prefill, DecodeStep decode, FanOutRoute fanOut)
{
    public async Task HandleAsync(HttpContext context, bool isChat)
    {
        var arrived = router.Clock.GetTimestamp();
        var request = LegRequest.Of(context);
        context.Response.Headers["X-Request-Id"] = request.RequestId;
        var body = await RequestBody.ReadAsync(context, router.Options.MaxBodyBytes);
        var shape = RequestShape.Of(body, isChat, router.Options.MaxFanOut);
        if (shape.Prompts.Count > 1)
        {
            await fanOut.HandleAsync(context, request, body, shape.Prompts, arrived);
            return;
        }
        var outcome = shape.DecodeOnlyReason is { } reason
            ? PrefillOutcome.None(reason)
            : await prefill.RunAsync(request, body, isChat, default, context.RequestAborted);
        if (outcome.Refusal is { } refusal)
        {
            await RelayRefusalAsync(context, outcome.Node!, refusal);
            return;
        }
        if (outcome.NoHandoverReason is { } missing)
        {
            router.Metrics.DecodeOnly(missing);
            RouterLog.DecodeOnly(router.Logger, request.RequestId, missing);
        }
        await RelayDecodeAsync(context, request, DecodeLeg.Build(body, outcome.TransferParams), outcome, arrived);
    }

    internal static async Task RelayRefusalAsync(HttpContext context, Node node, PrefillRefusal refusal)
    {
        context.Response.StatusCode = refusal.Status;
        context.Response.ContentType = refusal.ContentType;
        context.Response.ContentLength = refusal.Body.Length;
        context.Response.Headers[RouteHeader.Name] = RouteHeader.Value(node.Name, "-", "prefill refused the request");
        if (refusal.RetryAfter is { } retryAfter)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }
        await context.Response.Body.WriteAsync(refusal.Body, context.RequestAborted);
    }

    private async Task RelayDecodeAsync(HttpContext context, LegRequest request, byte[] leg, PrefillOutcome outcome, long arrived)
    {
        var (node, response) = await decode.OpenAsync(request, leg, context.RequestAborted);
        using (response)
        {
            var noHandover = outcome.NoHandoverReason ?? RouteHeader.DecodeSays(response);
            if (noHandover is null)
            {
                router.Metrics.Handover();
            }
            context.Response.StatusCode = (int)response.StatusCode;
            ForwardedHeaders.CopyToClient(response, context.Response);
            context.Response.Headers[RouteHeader.Name] = RouteHeader.Value(outcome.Node?.Name, node.Name, noHandover);
            RouteHeader.WritePrefill(context.Response.Headers, outcome);
            await context.Response.StartAsync(context.RequestAborted);
            router.Metrics.FirstByte(router.Clock.GetElapsedTime(arrived));
            if (await ResponseRelay.RelayAsync(response, context) is { } broken)
            {
                router.Metrics.NodeFailed(node);
                RouterLog.DecodeFailed(router.Logger, request.RequestId, node.Name, broken);
            }
            RouterLog.RequestDone(
                router.Logger, request.RequestId, request.Path, (int)response.StatusCode, outcome.Node?.Name ?? "-", outcome.Elapsed.TotalMilliseconds, node.Name,
                RouteHeader.Handover(noHandover), router.Clock.GetElapsedTime(arrived).TotalMilliseconds);
        }
    }
}
