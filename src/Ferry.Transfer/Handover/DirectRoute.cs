using Ferry.Kv.Conversion;

namespace Ferry.Transfer.Handover;

/// <summary>From the owner's blocks straight into the reader's, which lie alike.</summary>
internal sealed class DirectRoute : IHandoverRoute
{
    private readonly int _rank;
    private readonly List<PagedRun> _runs;

    private DirectRoute(int rank, List<PagedRun> runs, WireShare share)
    {
        _rank = rank;
        _runs = runs;
        Share = share;
    }

    public HandoverRoute Kind => HandoverRoute.Direct;

    public int WindowCount => 1;

    public bool NeedsSlot => false;

    public WireShare Share { get; }

    /// <summary>Null where the two pools do not lie alike.</summary>
    public static DirectRoute? TryCreate(HandoverPlan plan, HandoverTicket ticket, ReadOnlySpan<int> blocks, int firstToken)
    {
        if (plan.Used is not [var used] || plan.PeerPools[used.Rank] is not { } source)
        {
            return null;
        }
        var target = plan.Target;
        var alike = target with { Tokens = source.Tokens, FirstHead = source.FirstHead, Heads = source.Heads };
        if (alike != source || !PagedRuns.CanTake(source, target.FirstHead, target.Heads) || firstToken % source.BlockTokens != 0)
        {
            return null;
        }
        var window = new PagedWindow(0, 0, source.Layers, firstToken, firstToken, ticket.Tokens - firstToken);
        var runs = PagedRuns.Of(source, ticket.Ranks[used.Rank].Blocks.Span, target, blocks, window);
        return new DirectRoute(used.Rank, runs, runs.Aggregate(default(WireShare), (share, run) => share.Add(run.Bytes, plan.Limits.WirePieceBytes)));
    }

    public Task<TransferOutcome> PullAsync(int window, int slot, HandoverPull pull, CancellationToken cancellationToken)
    {
        var rank = pull.Ticket.Ranks[_rank];
        var descriptors = new TransferDescriptor[_runs.Count];
        for (var index = 0; index < descriptors.Length; index++)
        {
            var run = _runs[index];
            descriptors[index] = new TransferDescriptor(
                new RemoteRange(rank.LeaseId, pull.Ticket.Generation, rank.RegionId, rank.Offset + run.SourceOffset, run.Bytes),
                pull.TargetPool.Region, pull.TargetPool.Offset + run.TargetOffset);
        }
        return pull.ReadAsync(descriptors, cancellationToken);
    }
}
