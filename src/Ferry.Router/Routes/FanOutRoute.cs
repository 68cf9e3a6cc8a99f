using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>
/// A completion with a list of prompts: one pair of legs a prompt, merged into one answer. A node returns the parameters of the first
/// prompt only, so a single pair could hand over only that one's KV.
/// </summary>
internal sealed class FanOutRoute(RouterState router, PrefillStep prefill, DecodeStep decode)
{
    public async Task HandleAsync(HttpContext context, LegRequest request, JsonBody body, IReadOnlyList<ReadOnlyMemory<byte>> prompts, long arrived)
    {
        context.Response.Headers[RouteHeader.Name] = $"prompts={prompts.Count} handover=by-prompt";
        using IMergedAnswer answer = body.Asks("stream")
            ? new MergedStream(context, $"cmpl-{request.RequestId}")
            : new MergedWhole(context, $"cmpl-{request.RequestId}", prompts.Count);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var places = new SemaphoreSlim(router.Options.FanOutConcurrency);
        try
        {
            await RunAllAsync(context, request, body, prompts, answer, places, stopping);
        }
        catch (PrefillRefusedException refused)
        {
            await answer.FailAsync(refused.Refusal.Status, refused.Refusal.ContentType, refused.Refusal.Body, context.RequestAborted);
            return;
        }
        catch (NodeAnswerException failed)
        {
            await answer.FailAsync(failed.Status, "application/json", failed.Body, context.RequestAborted);
            return;
        }
        await answer.EndAsync(context.RequestAborted);
        RouterLog.RequestDone(
            router.Logger, request.RequestId, request.Path, 200, "several", 0, "several", $"{prompts.Count} prompts", router.Clock.GetElapsedTime(arrived).TotalMilliseconds);
    }

    private async Task RunAllAsync(
        HttpContext context, LegRequest request, JsonBody body, IReadOnlyList<ReadOnlyMemory<byte>> prompts, IMergedAnswer answer, SemaphoreSlim places, CancellationTokenSource stopping)
    {
        var pairs = prompts.Select(async (prompt, index) =>
        {
            await places.WaitAsync(stopping.Token);
            try
            {
                await RunOneAsync(request with { RequestId = $"{request.RequestId}-{index}" }, body, prompt, index, answer, stopping.Token);
            }
            catch
            {
                await stopping.CancelAsync();   // one failed pair fails the request: the others need not go on
                throw;
            }
            finally
            {
                places.Release();
            }
        }).ToArray();
        try
        {
            await Task.WhenAll(pairs);
        }
        catch (Exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            // WhenAll throws the first by order; the cause is the one that is not a mere cancellation.
            var cause = pairs.Select(pair => pair.Exception?.InnerException).FirstOrDefault(exception => exception is not null and not OperationCanceledException);
            throw cause ?? RouterException.BadGateway("The request was stopped.");
        }
    }

    private async Task RunOneAsync(LegRequest request, JsonBody body, ReadOnlyMemory<byte> prompt, int index, IMergedAnswer answer, CancellationToken cancellationToken)
    {
        var outcome = await prefill.RunAsync(request, body, isChat: false, prompt, cancellationToken);
        if (outcome.Refusal is { } refusal)
        {
            throw new PrefillRefusedException(refusal);
        }
        if (outcome.NoHandoverReason is { } missing)
        {
            router.Metrics.DecodeOnly(missing);
            RouterLog.DecodeOnly(router.Logger, request.RequestId, missing);
        }
        else
        {
            router.Metrics.Handover();
        }
        var (node, response) = await decode.OpenAsync(request, DecodeLeg.Build(body, outcome.TransferParams, prompt), cancellationToken);
        using (response)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            if ((int)response.StatusCode != 200)
            {
                var error = await BoundedBody.TryReadAsync(stream, null, router.Options.MaxPrefillReplyBytes, cancellationToken);
                throw new NodeAnswerException((int)response.StatusCode, error ?? default);
            }
            try
            {
                await answer.TakeAsync(index, stream, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or System.Text.Json.JsonException)
            {
                router.Metrics.NodeFailed(node);
                throw RouterException.BadGateway($"The decode node {node.Name} broke off inside its answer.");
            }
        }
    }

    private sealed class PrefillRefusedException(PrefillRefusal refusal) : Exception
    {
        public PrefillRefusal Refusal { get; } = refusal;
    }
}
