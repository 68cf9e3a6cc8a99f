using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>POST /v1/completions, /v1/chat/completions and /v1/responses: two legs.</summary>
internal sealed class GenerationRoute(RouterState router, LegPair pair, FanOutRoute fanOut)
{
    /// <summary>A longer body is read through on another thread than the one that brings the bytes of other requests: it takes longer than a millisecond.</summary>
    private const int InlineBytes = 4 << 20;

    private readonly RouteFacts _facts = new(router);
    private readonly AnswerRelay _relay = new(router);
    private readonly RequestIds _ids = new();

    /// <summary>Null: the request is another route's.</summary>
    public Task? TryHandleAsync(HttpContext context)
    {
        var account = RequestAccount.Of(context);
        return account.Path switch
        {
            RouterPaths.Completions => HandleAsync(context, account, ApiKind.Completions),
            RouterPaths.ChatCompletions => HandleAsync(context, account, ApiKind.Chat),
            RouterPaths.Responses => HandleAsync(context, account, ApiKind.Responses),
            _ => null,
        };
    }

    private async Task HandleAsync(HttpContext context, RequestAccount account, ApiKind api)
    {
        var arrived = router.Clock.GetTimestamp();
        account.RequestId = _ids.Next(context, out var clientId);
        context.Response.Headers[RequestIds.Header] = clientId;
        using var bytes = await RequestBytes.ReadAsync(context, router.Options.MaxBodyBytes);
        if (bytes.ByteCount > InlineBytes)
        {
            await Task.Yield();
        }
        var body = JsonBody.Parse(bytes.Memory);
        var shape = RequestShape.Of(body, api, router.Options.Forwarding.MaxFanOut);
        var given = _facts.GivenPrefill(context);
        var path = context.Request.QueryString.HasValue ? context.Request.Path + context.Request.QueryString : context.Request.Path.Value!;
        var work = new PairWork(
            new LegRequest(account.RequestId, path, context.Request.Headers, !account.Tenant.IsAuthenticated), body, api, default, shape.PromptAnswer, null,
            RouteFacts.Of(context, account.Tenant, body, api, default, shape.DecodeOnlyReason, given), account,
            arrived + (long)(router.Options.Forwarding.RequestTimeout.TotalSeconds * router.Clock.TimestampFrequency));
        if (shape.FansOut || shape.PromptAnswer != PromptAnswer.None)
        {
            await fanOut.HandleAsync(context, work, shape, (prompt, node) => RouteFacts.Of(context, account.Tenant, body, api, prompt, null, node), arrived);
            return;
        }
        using var answer = await pair.RunAsync(work, context.RequestAborted);
        // From the first byte on the choice works with the keys that it has made; the body itself can go (ChoiceKeys).
        await _relay.RelayAsync(context, work, answer, arrived, bytes.Dispose);
    }
}
