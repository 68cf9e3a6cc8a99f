using Ferry.Kv.Conversion;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>The reader's side of hand-overs between paged pools: asks, pulls, converts, in windows that overlap.</summary>
/// <remarks>Thread-safe. All its hand-overs share one set of slots, so their memory is bounded; one that finds none waits.</remarks>
public sealed class HandoverReader : IAsyncDisposable
{
    private readonly HandoverLimits _limits;
    private readonly TimeProvider _time;
    private readonly StagingMemory _staging;
    private readonly UseGate _uses = new();

    /// <param name="agent">Whose peers are read from; outlives the reader.</param>
    /// <exception cref="TransferConfigurationException">The limits contradict themselves.</exception>
    public HandoverReader(ITransferAgent agent, HandoverLimits limits, TimeProvider time)
    {
        _limits = limits.ThrowIfInvalid();
        _time = time;
        _staging = new StagingMemory(agent, limits.SlotBytes, limits.SlotCount);
    }

    /// <summary>Brings a request's KV into blocks of one own rank; unused tokens of the last block become zeros.</summary>
    /// <param name="requestId">Whose leases are kept alive meanwhile.</param>
    /// <param name="target">In <paramref name="plan"/>'s target layout; registered with this reader's agent.</param>
    /// <param name="blocks">The own block table of the request, from position 0; blocks before <paramref name="firstToken"/> are left alone.</param>
    /// <param name="firstToken">Tokens before it are there already; begins an own block.</param>
    public async Task<HandoverResult> PullAsync(
        ITransferPeer peer, HandoverPlan plan, string requestId, HandoverTicket ticket, KvRankPool target, ReadOnlyMemory<int> blocks, int firstToken,
        CancellationToken cancellationToken)
    {
        if (FindError(plan, ticket, target, blocks.Span, firstToken) is { } error)
        {
            return Refused(TransferError.OutOfRange, error);
        }
        var (reach, unreachable) = await ReachAsync(peer, plan, ticket, cancellationToken);
        if (unreachable is { } failure)
        {
            return new HandoverResult(failure, null);
        }
        if (plan.Choose(ticket, blocks.Span, firstToken, peer.Medium.Name, reach) is not { } choice)
        {
            return Refused(TransferError.TooManyBytes,
                $"{(_limits.Route is { } route ? $"Route {route}" : "No route")} carries '{plan.PeerPools[0]}' to '{plan.Target}' in slots of {_limits.SlotBytes} bytes. "
                + "Raise SlotBytes on both sides, or leave Route to be chosen.");
        }
        if (!_uses.TryEnter())
        {
            return Refused(TransferError.Closed, "The reader was disposed.");
        }
        try
        {
            if (!target.Region.TryUse())
            {
                return Refused(TransferError.RegionUnknown, $"Region {target.Region.Id} is being deregistered.");
            }
            try
            {
                return await PullAsync(new HandoverPull(peer, peer as IInPlacePeer, ticket, target, blocks, _staging, _time), plan, requestId, choice, firstToken, cancellationToken);
            }
            finally
            {
                target.Region.EndUse();
            }
        }
        finally
        {
            _uses.Leave();
        }
    }

    /// <summary>Waits for hand-overs under way (cancel them first if they are not wanted) and frees the slots.</summary>
    public async ValueTask DisposeAsync()
    {
        await _uses.CloseAsync();
        await _staging.DisposeAsync();
    }

    private async Task<HandoverResult> PullAsync(
        HandoverPull pull, HandoverPlan plan, string requestId, HandoverChoice choice, int firstToken, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var beating = new CancellationTokenSource();
        var heartbeat = BeatAsync(pull, requestId, beating.Token);
        TransferOutcome outcome;
        try
        {
            outcome = await RunWindowsAsync(pull, choice.Way, stopping, cancellationToken);
        }
        finally
        {
            await beating.CancelAsync();
            await heartbeat;
            await pull.ReleasedAsync();
        }
        if (!outcome.IsSuccess)
        {
            return new HandoverResult(outcome, pull.Report(choice));
        }
        PagedConversionPlan.ClearTail(plan.Target, pull.Target, pull.Ticket.Tokens);
        var bytes = plan.Target.PayloadBytes / plan.Target.PayloadTokens * (pull.Ticket.Tokens - firstToken);
        return new HandoverResult(TransferOutcome.Success(TransferPhase.Verify, bytes), pull.Report(choice));
    }

    /// <summary>Each worker has one slot at a time, so reads of some windows overlap with conversions of others.</summary>
    private async Task<TransferOutcome> RunWindowsAsync(
        HandoverPull pull, IHandoverRoute way, CancellationTokenSource stopping, CancellationToken callers)
    {
        var next = -1;
        TransferOutcome? failure = null;
        var gate = new Lock();
        var workers = new Task[Math.Min(way.WindowCount, _limits.SlotCount)];
        for (var index = 0; index < workers.Length; index++)
        {
            workers[index] = Task.Run(WorkAsync, CancellationToken.None);
        }
        await Task.WhenAll(workers);
        return failure ?? TransferOutcome.Success(TransferPhase.Verify);

        async Task WorkAsync()
        {
            try
            {
                while (!stopping.IsCancellationRequested && Interlocked.Increment(ref next) is var window && window < way.WindowCount)
                {
                    if (await RunOneAsync(window) is { IsSuccess: false } failed)
                    {
                        Fail(failed);
                    }
                }
                callers.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException)
            {
                Fail(TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Cancelled, "The hand-over was cancelled."));
            }
        }

        async Task<TransferOutcome> RunOneAsync(int window)
        {
            if (!way.NeedsSlot)
            {
                return await way.PullAsync(window, 0, pull, stopping.Token);
            }
            var slot = await _staging.RentAsync(stopping.Token);
            try
            {
                return await way.PullAsync(window, slot, pull, stopping.Token);
            }
            finally
            {
                _staging.Return(slot);
            }
        }

        void Fail(TransferOutcome failed)
        {
            lock (gate)
            {
                failure ??= failed; // the first one tells why; the others follow from it
            }
            stopping.Cancel();
        }
    }

    private async Task BeatAsync(HandoverPull pull, string requestId, CancellationToken stopping)
    {
        // vLLM's proportions: six heartbeats in a lease, each asking for two thirds of it.
        var left = pull.Ticket.LeaseLeft > TimeSpan.FromMilliseconds(60) ? pull.Ticket.LeaseLeft : TimeSpan.FromMilliseconds(60);
        try
        {
            while (true)
            {
                await Task.Delay(left / 6, _time, stopping);
                await pull.Peer.ExtendAsync(new ExtendRequest([new LeaseHold(requestId, pull.Ticket.Ranks[0].LeaseId)], left * 2 / 3), stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // The hand-over is over.
        }
    }

    /// <summary>How all pools that the plan reads are reached, as the worst of them is; or why one is not.</summary>
    private static async ValueTask<(InPlaceReach Reach, TransferOutcome? Failure)> ReachAsync(
        ITransferPeer peer, HandoverPlan plan, HandoverTicket ticket, CancellationToken cancellationToken)
    {
        if (peer is not IInPlacePeer holding)
        {
            return (InPlaceReach.None, null);
        }
        var worst = InPlaceReach.Mapped;
        foreach (var used in plan.Used)
        {
            var rank = ticket.Ranks[used.Rank];
            var (reach, failure) = await holding.ReachAsync(rank.RegionId, rank.Offset, plan.PeerPools[used.Rank].PayloadBytes, cancellationToken);
            if (failure is not null)
            {
                return (InPlaceReach.None, failure);
            }
            worst = reach < worst ? reach : worst;
        }
        return (worst, null);
    }

    private static string? FindError(HandoverPlan plan, HandoverTicket ticket, KvRankPool target, ReadOnlySpan<int> blocks, int firstToken)
    {
        var block = plan.Target.BlockTokens;
        if (target.Layout != plan.Target)
        {
            return $"The target's layout is not the plan's: {string.Join("; ", Kv.Layout.KvLayout.Diff(target.Layout, plan.Target))}.";
        }
        if (target.FindErrors() is { Count: > 0 } errors)
        {
            return $"The target is no pool: {string.Join("; ", errors)}.";
        }
        if (ticket.Ranks.Count != plan.PeerPools.Count)
        {
            return $"The ticket is of {ticket.Ranks.Count} ranks; the plan was made with {plan.PeerPools.Count}.";
        }
        if (firstToken < 0 || firstToken >= ticket.Tokens || firstToken % block != 0)
        {
            return $"firstToken is {firstToken}; it must begin a block of {block} tokens and lie before the request's {ticket.Tokens}.";
        }
        var needed = (ticket.Tokens + block - 1) / block;
        if (blocks.Length != needed)
        {
            return $"{ticket.Tokens} tokens need {needed} blocks of {block}; {blocks.Length} were given.";
        }
        foreach (var one in blocks)
        {
            if ((uint)one >= (uint)(plan.Target.Tokens / block))
            {
                return $"Block {one} is none of the {plan.Target.Tokens / block} blocks of the target.";
            }
        }
        return null;
    }

    private static HandoverResult Refused(TransferError error, string message) =>
        new(TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, error, message), null);
}
