using Ferry.Engine.Connector;
using Ferry.Serving.Exchange.Push;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>What comes after a load: it is counted and logged, and the lender and what was pushed are let go. Thread-safe.</summary>
/// <param name="track">Keeps a task until it ends.</param>
internal sealed class LoadEnd(
    KvExchangeOptions options, ReportBook reports, RequestLeases leases, PushDesk pushes, Action<Task> track, TimeProvider time, ILogger logger, CancellationToken stop)
{
    /// <summary>Reaches lenders; set once the hand-over opens.</summary>
    public PeerFetch? Fetch { get; set; }

    public void Conclude(LoadPlan plan, bool asksToFetch, KvLoadResult result)
    {
        var report = plan.Trace.ToReport();
        if (asksToFetch && result.Chunks.Count == 0)
        {
            reports.Counters.HandoversMissed.Add();
            ExchangeLog.HandoverMissed(logger, plan.RequestId, plan.Lender?.EngineId ?? "a peer", report.Reason ?? "no chunk was found");
        }
        else if (asksToFetch)
        {
            reports.Counters.HandoversDone.Add();
        }
        if (report.Mode is { } mode)
        {
            reports.CountHandover(plan.Lender!.EngineId, mode, report.HandoverBytes, report.FetchTime);
        }
        if (result.Chunks.Count > 0)
        {
            ExchangeLog.Loaded(logger, plan.RequestId, report.Tokens, report.Source, report.BytesMoved, report.BytesConverted);
        }
        var took = plan.Lender is { IsMeasured: true } && report.Mode is not null
            ? new HandedOver(plan.Lender.Mode, report.HandoverBytes, report.FetchTime, string.Empty)
            : null;
        LetGo(plan.Lender, plan.GrantId, completed: result.Chunks.Count > 0, took);
    }

    /// <summary>The lender need not hold anything any longer.</summary>
    /// <param name="took">What the hand-over took, if the lender wants to know.</param>
    public void LetGo(HandoverParams? lender, ulong grantId, bool completed, HandedOver? took = null)
    {
        if (lender is null)
        {
            return;
        }
        pushes.Finish(lender);
        if (Fetch is not { } fetch)
        {
            return;
        }
        if (lender.EngineId == options.EngineId)
        {
            leases.Release(lender.LeaseId); // Prefill and decode on one node: nothing moves.
        }
        else
        {
            track(ReleaseAsync(fetch, lender, grantId, completed, took));
        }
    }

    private async Task ReleaseAsync(PeerFetch fetch, HandoverParams lender, ulong grantId, bool completed, HandedOver? took)
    {
        using var deadline = new CancellationTokenSource(options.LoadDeadline, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        try
        {
            await fetch.ReleaseAsync(lender, grantId, completed, took, linked.Token);
        }
        catch (OperationCanceledException)
        {
            // The lease runs out by itself.
        }
        catch (Exception error) // The edge: nobody waits for this task's answer.
        {
            ExchangeLog.ReleaseFailed(logger, lender.EngineId, error);
        }
    }
}
