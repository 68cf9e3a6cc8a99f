using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>
/// A request with several prompts or choices, or one whose prompt is part of the answer: one pair of legs each, merged into one answer.
/// A node returns the parameters of the first prompt only, and the choices of one request would all fetch under one lease.
/// </summary>
internal sealed class FanOutRoute(RouterState router, LegPair pair)
{
    /// <param name="factsOf">Of one prompt (raw, or empty for the body's own).</param>
    public async Task HandleAsync(HttpContext context, PairWork whole, RequestShape shape, Func<ReadOnlyMemory<byte>, Node?, ChoiceFacts> factsOf, long arrived)
    {
        var promptCount = Math.Max(shape.Prompts.Count, 1);
        var answerCount = promptCount * shape.Choices;
        var id = (whole.Api == ApiKind.Chat ? "chatcmpl-" : "cmpl-") + whole.Request.RequestId;
        context.Response.Headers[RouteHeader.Name] = $"answers={answerCount} handover=by-answer";
        using IMergedAnswer answer = whole.Body.Asks("stream"u8)
            ? new MergedStream(context, id, new RelayWatch(router.Metrics, router.Clock, arrived))
            : new MergedWhole(context, id, answerCount);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var places = new SemaphoreSlim(router.Options.Forwarding.FanOutConcurrency);
        var tasks = new List<Task>(answerCount);
        for (var prompt = 0; prompt < promptCount; prompt++)
        {
            var raw = shape.Prompts.Count > 0 ? shape.Prompts[prompt] : default;
            // The first choice's prefill comes first: the others then find its blocks at the same node.
            var prefilled = new TaskCompletionSource<Node?>(TaskCreationOptions.RunContinuationsAsynchronously);
            for (var choice = 0; choice < shape.Choices; choice++)
            {
                var index = (prompt * shape.Choices) + choice;
                var work = whole with
                {
                    Request = whole.Request with { RequestId = answerCount == 1 ? whole.Request.RequestId : $"{whole.Request.RequestId}-{index}" },
                    Prompt = raw,
                    ChoiceIndex = shape.Choices > 1 ? choice : null,
                    Account = choice == 0 && prompt == 0 ? whole.Account : new RequestAccount { Path = whole.Account.Path },
                    Prefilled = choice == 0 ? prefilled : null,
                };
                tasks.Add(RunOneAsync(work, index, choice == 0 ? null : prefilled.Task, node => factsOf(raw, node), answer, places, stopping));
            }
        }
        await EndAsync(context, answer, tasks);
    }

    private static async Task EndAsync(HttpContext context, IMergedAnswer answer, List<Task> tasks)
    {
        try
        {
            await Task.WhenAll(tasks);
            await answer.EndAsync(context.RequestAborted);
        }
        catch (Exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            // WhenAll throws the first by order; the cause is the one that is not a mere cancellation.
            var cause = tasks.Select(task => task.Exception?.InnerException).FirstOrDefault(exception => exception is not null and not OperationCanceledException);
            switch (cause)
            {
                case NodeAnswerException failed:
                    await answer.FailAsync(failed.Status, failed.ContentType, failed.Body, context.RequestAborted);
                    return;
                case RouterException error when context.Response.HasStarted:
                    await answer.FailAsync(error.Status, "application/json", RouterError.Body(error), context.RequestAborted);
                    return;
                case null:
                    throw RouterException.BadGateway("The request was stopped.");
                default:
                    throw cause;
            }
        }
    }

    private async Task RunOneAsync(
        PairWork work, int index, Task<Node?>? after, Func<Node?, ChoiceFacts> factsOf, IMergedAnswer answer, SemaphoreSlim places, CancellationTokenSource stopping)
    {
        try
        {
            var node = after is null ? work.Facts.GivenPrefill : await after.WaitAsync(stopping.Token);
            await places.WaitAsync(stopping.Token);
            try
            {
                await TakeAsync(work with { Facts = factsOf(node) }, index, countsPrompt: after is null, answer, stopping.Token);
            }
            finally
            {
                places.Release();
            }
        }
        catch
        {
            await stopping.CancelAsync();   // one failed pair fails the request: the others need not go on
            throw;
        }
        finally
        {
            work.Prefilled?.TrySetResult(null);
        }
    }

    private async Task TakeAsync(PairWork work, int index, bool countsPrompt, IMergedAnswer merged, CancellationToken cancellationToken)
    {
        using var answer = await pair.RunAsync(work, cancellationToken);
        if (answer.Outcome.Refusal is { } refusal)
        {
            throw new NodeAnswerException(refusal.Status, refusal.ContentType, refusal.Body.ToArray());
        }
        var decoded = answer.Answer!;
        if (decoded.Status != 200)
        {
            throw new NodeAnswerException(decoded.Status, "application/json", decoded.Bytes.Memory.ToArray());
        }
        try
        {
            var prompt = PromptPart.Of(answer.Outcome.Reply, work.Api, work.PromptAnswer);
            await merged.TakeAsync(index, countsPrompt, decoded, prompt, answer.Outcome.HandsOver ? answer.Outcome.Reply?.CachedTokens : null, cancellationToken);
            decoded.Ticket.Finished(null, null, null);
        }
        catch (NodeAnswerException)
        {
            decoded.Ticket.Failed(LegFailure.BrokenOff);
            throw;
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or System.Text.Json.JsonException || (exception is OperationCanceledException && decoded.Idle.TimedOut))
        {
            decoded.Ticket.Failed(LegFailure.BrokenOff);
            RouterLog.DecodeFailed(router.Logger, work.Request.RequestId, decoded.Node.Name, exception.Message);
            throw RouterException.BadGateway($"The decode node {decoded.Node.Name} broke off inside its answer.");
        }
    }
}
