using System.Collections.Concurrent;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>The owner packs each window in the reader's layout; it comes straight into the reader's blocks, or in one piece into a slot from which it is dealt out.</summary>
internal sealed class PackedRoute : IHandoverRoute
{
    private readonly KvLayout _target;
    private readonly List<HandoverWindow> _windows;
    private readonly ConcurrentDictionary<KvLayout, PagedConversionPlan> _plans = new(); // at most four: the last window of each axis is shorter

    private PackedRoute(KvLayout target, List<HandoverWindow> windows)
    {
        _target = target;
        _windows = windows;
    }

    public HandoverRoute Kind => HandoverRoute.WriterConverts;

    public int WindowCount => _windows.Count;

    public bool NeedsSlot { get; private set; }

    public WireShare Share { get; private set; }

    /// <summary>Null where the owner does not pack, or too little for one layer of one block.</summary>
    /// <param name="blocks">The reader's.</param>
    /// <param name="needsLongPieces">Whether the medium makes every piece an operation of its own: then short ones come in one and are dealt out.</param>
    public static PackedRoute? TryCreate(HandoverPlan plan, HandoverTicket ticket, ReadOnlySpan<int> blocks, int firstToken, bool needsLongPieces)
    {
        var target = plan.Target;
        var slotBytes = Math.Min(ticket.PackBytesMax, plan.Limits.SlotBytes);
        var block = target.BlockTokens;
        if (firstToken % block != 0 || WindowShape.Find(target.PayloadBytes / target.PayloadTokens / target.Layers, block, block, isBlockMajor: false,
            target.Layers, ticket.Tokens - firstToken, slotBytes) is not { } window)
        {
            return null;
        }
        var route = new PackedRoute(target, window.Cut(target.Layers, firstToken, ticket.Tokens));
        foreach (var part in route._windows)
        {
            foreach (var run in route.RunsOf(part, blocks))
            {
                route.Share = route.Share.Add(run.Bytes, plan.Limits.WirePieceBytes);
            }
        }
        if (needsLongPieces && !route.Share.IsCoarse)
        {
            route.NeedsSlot = true;
            route.Share = route._windows.Aggregate(default(WireShare), (share, part) => share.Add(route.LayoutOf(part).PayloadBytes, plan.Limits.WirePieceBytes));
        }
        return route;
    }

    public async Task<TransferOutcome> PullAsync(int window, int slot, HandoverPull pull, CancellationToken cancellationToken)
    {
        var part = _windows[window];
        var layout = LayoutOf(part);
        var question = HandoverCodec.Encode(new PackRequest(pull.Ticket.Ranks[0].LeaseId, part.FirstLayer, part.FirstToken, part.Tokens, layout));
        var asked = await pull.Peer.AskAsync(question, cancellationToken);
        if (!asked.Outcome.IsSuccess)
        {
            return asked.Outcome;
        }
        if (HandoverCodec.DecodePackReply(asked.Answer.Span) is not { } packed || packed.Bytes != layout.PayloadBytes)
        {
            return TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.ProtocolViolation, "The peer's answer about a packed window is malformed.");
        }
        var outcome = await pull.ReadAsync(
            NeedsSlot
                ? [Descriptor(pull, packed, 0, packed.Bytes, pull.Staging.Region, pull.Staging.OffsetOf(slot))]
                : [.. RunsOf(part, pull.Blocks.Span).Select(run =>
                    Descriptor(pull, packed, run.SourceOffset, run.Bytes, pull.TargetPool.Region, pull.TargetPool.Offset + run.TargetOffset))], cancellationToken);
        // The owner's slot goes back at once: readers that wait for one must not wait for this one's conversion, nor this one for the answer.
        pull.ReleaseLater(new ReleaseRequest(string.Empty, packed.LeaseId, Completed: true));
        if (outcome.IsSuccess && NeedsSlot)
        {
            DealOut(part, layout, slot, pull);
        }
        return outcome;
    }

    private static TransferDescriptor Descriptor(HandoverPull pull, in PackReply packed, long sourceOffset, long bytes, MemoryRegion local, long localOffset) =>
        new(new RemoteRange(packed.LeaseId, pull.Ticket.Generation, packed.RegionId, packed.Offset + sourceOffset, bytes), local, localOffset);

    private void DealOut(in HandoverWindow part, KvLayout layout, int slot, HandoverPull pull)
    {
        var plan = _plans.GetOrAdd(layout, static (packedLayout, target) =>
            PagedConversionPlan.TryCreate([packedLayout], target, staysInCache: false, out var made, out var mismatches)
                ? made
                : throw new KvLayoutException("A packed window has the reader's own layout", mismatches), _target);
        pull.Convert(plan, [new PagedKv(pull.Staging.AddressOf(slot), layout.PayloadBytes, default)],
            new PagedWindow(0, part.FirstLayer, part.Layers, 0, part.FirstToken, part.Tokens));
    }

    private KvLayout LayoutOf(in HandoverWindow part) => _target with
    {
        Layers = part.Layers,
        Tokens = (part.Tokens + _target.BlockTokens - 1) / _target.BlockTokens * _target.BlockTokens,
    };

    /// <summary>From a packed window to the reader's blocks, whole ones: what the last has no tokens for comes as zeros.</summary>
    private List<PagedRun> RunsOf(in HandoverWindow part, ReadOnlySpan<int> blocks) =>
        PagedRuns.Of(LayoutOf(part), default, _target, blocks, new PagedWindow(0, part.FirstLayer, part.Layers, 0, part.FirstToken, part.Tokens));
}
