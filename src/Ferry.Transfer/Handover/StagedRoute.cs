using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.Transfer.Handover;

/// <summary>The owner's blocks as they lie, into a slot, and from there converted into the reader's blocks.</summary>
internal sealed class StagedRoute : IHandoverRoute
{
    // Where a rank's bytes begin in a slot: whole cache lines, so that rows of one rank share none with another's.
    private const int SlotAlignment = 64;

    private readonly KvLayout[] _pools;
    private readonly KvLayout[] _staged;
    private readonly long[] _offsets;
    private readonly int[] _ranks;
    private readonly int _blockTokens;
    private readonly PagedConversionPlan _conversion;
    private readonly List<HandoverWindow> _windows;

    private StagedRoute(HandoverPlan plan, KvLayout[] staged, long[] offsets, PagedConversionPlan conversion, List<HandoverWindow> windows)
    {
        _ranks = [.. plan.Used.Select(used => used.Rank)];
        _pools = [.. _ranks.Select(rank => plan.PeerPools[rank])];
        _staged = staged;
        _offsets = offsets;
        _blockTokens = _pools[0].BlockTokens;
        _conversion = conversion;
        _windows = windows;
    }

    public HandoverRoute Kind => HandoverRoute.ReaderConverts;

    public int WindowCount => _windows.Count;

    public bool NeedsSlot => true;

    public WireShare Share { get; private set; }

    /// <summary>Null where a slot is too small for one layer of one block, or the owner's ranks have blocks of unlike lengths.</summary>
    /// <param name="exactHeads">Take only the heads that are wanted, where they can be cut out; else whole blocks.</param>
    public static StagedRoute? TryCreate(HandoverPlan plan, HandoverTicket ticket, int firstToken, bool exactHeads)
    {
        KvLayout[] shapes = [.. plan.Used.Select(used => Taken(plan.PeerPools[used.Rank], used, exactHeads))];
        var blockTokens = shapes[0].BlockTokens;
        if (shapes.Any(shape => shape.BlockTokens != blockTokens))
        {
            return null;
        }
        var layerTokenBytes = shapes.Sum(shape => shape.PayloadBytes / shape.PayloadTokens / shape.Layers);
        var begin = firstToken / blockTokens * blockTokens;
        var room = plan.Limits.SlotBytes - shapes.Length * SlotAlignment;
        if (room < 1 || WindowShape.Find(layerTokenBytes, blockTokens, plan.Target.BlockTokens, shapes.Any(shape => shape.BlockMajor),
            plan.Target.Layers, ticket.Tokens - begin, room) is not { } window)
        {
            return null;
        }
        KvLayout[] staged = [.. shapes.Select(shape => shape with { Layers = window.Layers, Tokens = window.Tokens })];
        if (!PagedConversionPlan.TryCreate(staged, plan.Target, staysInCache: false, out var conversion, out _))
        {
            return null;
        }
        var offsets = new long[staged.Length];
        for (var index = 1; index < offsets.Length; index++)
        {
            offsets[index] = (offsets[index - 1] + staged[index - 1].PayloadBytes + SlotAlignment - 1) / SlotAlignment * SlotAlignment;
        }
        var route = new StagedRoute(plan, staged, offsets, conversion, window.Cut(plan.Target.Layers, firstToken, ticket.Tokens));
        route.Share = route.Weigh(ticket, plan.Limits.WirePieceBytes);
        return route;
    }

    public async Task<TransferOutcome> PullAsync(int window, int slot, HandoverPull pull, CancellationToken cancellationToken)
    {
        var part = _windows[window];
        var slotOffset = pull.Staging.OffsetOf(slot);
        var descriptors = new List<TransferDescriptor>();
        for (var index = 0; index < _ranks.Length; index++)
        {
            var rank = pull.Ticket.Ranks[_ranks[index]];
            foreach (var run in RunsOf(index, pull.Ticket, part))
            {
                descriptors.Add(new TransferDescriptor(
                    new RemoteRange(rank.LeaseId, pull.Ticket.Generation, rank.RegionId, rank.Offset + run.SourceOffset, run.Bytes),
                    pull.Staging.Region, slotOffset + _offsets[index] + run.TargetOffset));
            }
        }
        var outcome = await pull.ReadAsync([.. descriptors], cancellationToken);
        if (outcome.IsSuccess)
        {
            Convert(part, slot, pull);
        }
        return outcome;
    }

    private static KvLayout Taken(KvLayout pool, UsedRank used, bool exactHeads) =>
        exactHeads && PagedRuns.CanTake(pool, used.FirstHead, used.Heads) ? pool with { FirstHead = used.FirstHead, Heads = used.Heads } : pool;

    private void Convert(in HandoverWindow part, int slot, HandoverPull pull)
    {
        var sources = new PagedKv[_staged.Length];
        for (var index = 0; index < sources.Length; index++)
        {
            sources[index] = new PagedKv(pull.Staging.AddressOf(slot) + (nint)_offsets[index], _staged[index].PayloadBytes, default);
        }
        pull.Convert(_conversion, sources, new PagedWindow(0, part.FirstLayer, part.Layers, part.FirstToken % _blockTokens, part.FirstToken, part.Tokens));
    }

    /// <summary>Whole blocks of one rank, from the one that holds the window's first token.</summary>
    private List<PagedRun> RunsOf(int index, HandoverTicket ticket, in HandoverWindow part)
    {
        var begin = part.FirstToken / _blockTokens * _blockTokens;
        return PagedRuns.Of(_pools[index], ticket.Ranks[_ranks[index]].Blocks.Span, _staged[index], default,
            new PagedWindow(part.FirstLayer, 0, part.Layers, begin, 0, part.EndToken - begin));
    }

    /// <summary>Every layer has the pieces of the first: only those are looked at.</summary>
    private WireShare Weigh(HandoverTicket ticket, int wirePieceBytes)
    {
        var share = default(WireShare);
        var first = _windows.Where(part => part.FirstLayer == 0).ToArray();
        foreach (var part in first)
        {
            for (var index = 0; index < _ranks.Length; index++)
            {
                foreach (var run in RunsOf(index, ticket, part))
                {
                    share = share.Add(run.Bytes, wirePieceBytes);
                }
            }
        }
        return share.Times(_windows.Count / first.Length);
    }
}
