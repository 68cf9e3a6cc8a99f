using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>Runs the first leg: another node when one fails, and in the end the decode node alone.</summary>
internal sealed class PrefillStep(RouterState router)
{
    /// <param name="prompt">Raw value that replaces the body's prompt, or empty.</param>
    public async Task<PrefillOutcome> RunAsync(LegRequest request, JsonBody body, bool isChat, ReadOnlyMemory<byte> prompt, CancellationToken cancellationToken)
    {
        var started = router.Clock.GetTimestamp();
        var leg = PrefillLeg.Build(body, isChat, prompt);
        var tried = new List<Node>();
        var outcome = PrefillOutcome.None("no prefill node");
        while (tried.Count < router.Options.PrefillAttempts && router.Prefill.TryChoose(tried) is { } node)
        {
            tried.Add(node);
            outcome = await TryAsync(node, request, leg, cancellationToken);
            if (outcome.NoHandoverReason is null || outcome.Refusal is not null || outcome.NoHandoverReason == NoParameters)
            {
                break;
            }
            router.Metrics.NodeFailed(node);
            RouterLog.PrefillFailed(router.Logger, request.RequestId, node.Name, outcome.NoHandoverReason);
        }
        outcome = outcome with { Elapsed = router.Clock.GetElapsedTime(started) };
        router.Metrics.PrefillDone(outcome.Elapsed);
        return outcome;
    }

    /// <summary>The node did its work and lends nothing: it has no connector, or the request ended in another way than by length.</summary>
    private const string NoParameters = "prefill returned no kv_transfer_params";

    private async Task<PrefillOutcome> TryAsync(Node node, LegRequest request, byte[] leg, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(router.Options.PrefillTimeout, router.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var response = await router.Sender.PostAsync(node, request, leg, both.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(both.Token);
            var reply = await BoundedBody.TryReadAsync(stream, response.Content.Headers.ContentLength, router.Options.MaxPrefillReplyBytes, both.Token);
            var status = (int)response.StatusCode;
            if (reply is not { } bytes)
            {
                return new PrefillOutcome(node, default, $"prefill reply longer than {router.Options.MaxPrefillReplyBytes} bytes");
            }
            if (status is >= 400 and < 500)
            {
                return new PrefillOutcome(node, default, $"prefill answered {status}",
                    new PrefillRefusal(status, response.Content.Headers.ContentType?.ToString() ?? "application/json", bytes, response.Headers.RetryAfter?.ToString()));
            }
            if (status != 200)
            {
                return new PrefillOutcome(node, default, $"prefill answered {status}");
            }
            var parameters = PrefillReply.TransferParams(bytes);
            return new PrefillOutcome(node, parameters, parameters.IsEmpty ? NoParameters : null) { CachedTokens = PrefillReply.CachedTokens(bytes) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new PrefillOutcome(node, default, "prefill timed out");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            var reached = exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };
            return new PrefillOutcome(node, default, reached ? "prefill unreachable" : "prefill broke off");
        }
    }
}
