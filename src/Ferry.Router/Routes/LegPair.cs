using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Connectors;

namespace Ferry.Router.Routes;

/// <summary>
/// Runs both legs of one prompt. Until the decode node's first byte everything may be tried again: another decode node under the same lease
/// while that lives and nobody can have fetched, else the prefill anew.
/// </summary>
internal sealed class LegPair(RouterState router, PrefillStep prefill, DecodeStep decode)
{
    /// <summary>Of the lease, kept for the way to the decode node and into its scheduler, which then renews it.</summary>
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(2);

    /// <returns>The caller disposes it.</returns>
    /// <exception cref="RouterException">502, 503: no node did the work.</exception>
    public async Task<PairAnswer> RunAsync(PairWork work, CancellationToken cancellationToken)
    {
        var choice = router.Chooser.Choose(work.Facts);
        PrefillOutcome? outcome = null;
        DecodeTry? tried = null;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (outcome is null || IsStale(outcome, tried))
                {
                    outcome?.Dispose();
                    (outcome, tried) = (null, null);
                    if (choice.Decode is null)
                    {
                        throw RouterException.Unavailable("No decode node takes requests now.", TimeSpan.FromSeconds(1));
                    }
                    if (choice.SkipReason is { } reason)
                    {
                        outcome = PrefillOutcome.Skipped(reason);
                    }
                    else if (PushTargetOf(choice) is { } target)
                    {
                        (outcome, tried) = await PushTogetherAsync(work, choice, target, cancellationToken);
                    }
                    else
                    {
                        outcome = await prefill.RunAsync(work, choice, cancellationToken);
                    }
                    if (outcome.Refusal is not null)
                    {
                        return new PairAnswer(choice, outcome, null);
                    }
                    Check(work, outcome);
                    work.Prefilled?.TrySetResult(outcome.Node);
                }
                else
                {
                    tried = null;
                }
                tried ??= await DecodeAsync(work, choice, outcome, cancellationToken);
                if (tried.Failure is null)
                {
                    Count(outcome);
                    return new PairAnswer(choice, outcome, tried.Answer!);
                }
                RouterLog.DecodeFailed(router.Logger, work.Request.RequestId, choice.Decode!.Name, tried.Reason!);
                if (outcome.HandsOver && tried.Failure is LegFailure.BrokenOff or LegFailure.ServerError)
                {
                    choice.TransferFailed(tried.Reason!);
                }
                if (attempt >= router.Options.Forwarding.DecodeAttempts)
                {
                    Count(outcome);
                    return new PairAnswer(choice, outcome, tried.Answer is { Status: >= 500 } error ? error : throw NoDecode(choice, tried));
                }
                tried.Answer?.Dispose();
                work.Account.Retries++;
                choice = await NextAsync(work, choice, cancellationToken);
            }
        }
        catch
        {
            tried?.Answer?.Dispose();
            outcome?.Dispose();
            choice.Dispose();
            throw;
        }
    }

    /// <summary>Where the connector lets both legs start together; null: where it does not.</summary>
    private PushTarget? PushTargetOf(Choice choice)
    {
        foreach (var target in router.Options.Forwarding.PushTargets)
        {
            if (target.Node == choice.Prefill?.Address)
            {
                return target;
            }
        }
        return null;
    }

    /// <summary>Both legs at once: the decode node registers its blocks while the prefill node computes, and is cancelled when that fails.</summary>
    private async Task<(PrefillOutcome Outcome, DecodeTry? Decode)> PushTogetherAsync(PairWork work, Choice choice, PushTarget target, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var parameters = NixlPushProfile.ParamsFor(target, work.Request.RequestId, work.Api);
        var second = decode.TryAsync(work, choice, DecodeLeg.Build(work.Body, parameters, work.Prompt, work.PromptAnswer, work.ChoiceIndex), both.Token);
        PrefillOutcome? outcome = null;
        try
        {
            outcome = await prefill.TryAsync(work, choice, both.Token);
            work.Account.Prefill = outcome.Node?.Name ?? "-";
            if (outcome.Refusal is null && !outcome.HasFailed)
            {
                return (outcome, await second);
            }
            await both.CancelAsync();
            (await Ended(second))?.Answer?.Dispose();
            if (outcome.Refusal is not null || choice.NextPrefill() is null)
            {
                return (outcome, null);
            }
            RouterLog.PrefillFailed(router.Logger, work.Request.RequestId, outcome.Node!.Name, outcome.NoHandoverReason!);
        }
        catch
        {
            await both.CancelAsync();
            (await Ended(second))?.Answer?.Dispose();
            outcome?.Dispose();
            throw;
        }
        outcome.Dispose();
        return (await prefill.RunAsync(work, choice, cancellationToken), null);
    }

    private static async Task<DecodeTry?> Ended(Task<DecodeTry> second)
    {
        try
        {
            return await second;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private Task<DecodeTry> DecodeAsync(PairWork work, Choice choice, PrefillOutcome outcome, CancellationToken cancellationToken)
    {
        work.Account.Decode = choice.Decode!.Name;
        var leg = DecodeLeg.Build(work.Body, outcome.TransferParams, work.Prompt, outcome.Reply is null ? PromptAnswer.None : work.PromptAnswer, work.ChoiceIndex);
        return decode.TryAsync(work, choice, leg, cancellationToken);
    }

    /// <summary>Whether the KV that the first leg made can no longer be counted on.</summary>
    private bool IsStale(PrefillOutcome outcome, DecodeTry? tried) =>
        !outcome.TransferParams.IsEmpty
        && (tried?.MayHaveFetched == true || router.Clock.GetElapsedTime(router.Clock.GetTimestamp(), outcome.LeaseEnd) < LeaseMargin);

    /// <summary>Another decode node; when each has been tried, all of them anew after a pause: one may have come back.</summary>
    private async Task<Choice> NextAsync(PairWork work, Choice choice, CancellationToken cancellationToken)
    {
        if (choice.NextDecode() is not null)
        {
            return choice;
        }
        await Task.Delay(router.Options.Forwarding.RetryPause, router.Clock, cancellationToken);
        choice.Dispose();
        return router.Chooser.Choose(work.Facts);
    }

    /// <summary>Refuses to go on without a hand-over where the configuration says so.</summary>
    private void Check(PairWork work, PrefillOutcome outcome)
    {
        if (outcome.IsTransferMissing)
        {
            router.Metrics.TransferMissing();
        }
        if (!outcome.HasFailed && !outcome.IsTransferMissing)
        {
            return;
        }
        RouterLog.DecodeOnly(router.Logger, work.Request.RequestId, outcome.NoHandoverReason!);
        var options = router.Options.Forwarding;
        if (options.RequireTransfer)
        {
            throw RouterException.BadGateway($"No KV was handed over ({outcome.NoHandoverReason}; prefill node {outcome.Node?.Name ?? "none"}), and this router requires it.");
        }
        if (outcome.HasFailed && !options.AllowDecodeOnly)
        {
            throw RouterException.Unavailable($"No prefill node did its leg ({outcome.NoHandoverReason}), and this router lets no decode node do it.", TimeSpan.FromSeconds(1));
        }
    }

    private void Count(PrefillOutcome outcome)
    {
        if (outcome.NoHandoverReason is { } reason)
        {
            router.Metrics.DecodeOnly(reason);
            return;
        }
        router.Metrics.Handover();
    }

    private static RouterException NoDecode(Choice choice, DecodeTry last) => last.Failure switch
    {
        LegFailure.TimedOut => new RouterException(504, "GatewayTimeoutError", $"The decode node {choice.Decode?.Name} {last.Reason}."),
        _ => RouterException.BadGateway($"The decode node {choice.Decode?.Name} {last.Reason}."),
    };
}
