using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.Handover;

/// <summary>
/// The reader converts while the owner holds its blocks: straight out of them where they lie mapped here, else through a slot of which one half
/// is filled while the other is converted. A window is a part of one rank, and one question to the owner.
/// </summary>
internal sealed class HeldRoute : IHandoverRoute
{
    // As a segment of a copy, which costs one question too.
    private const int WindowBytesMax = 16 << 20;
    private const int WindowBytesMin = 1 << 20;

    private readonly HandoverPlan _plan;
    private readonly Source[] _sources;
    private readonly PagedConversionPlan _conversion;
    private readonly List<(int Source, HandoverWindow Part)> _windows = [];

    private HeldRoute(HandoverPlan plan, HandoverRoute kind, Source[] sources, PagedConversionPlan conversion)
    {
        _plan = plan;
        Kind = kind;
        _sources = sources;
        _conversion = conversion;
    }

    public HandoverRoute Kind { get; }

    public int WindowCount => _windows.Count;

    public bool NeedsSlot => Kind != HandoverRoute.InPlace;

    public WireShare Share { get; private set; }

    /// <summary>Null where one layer of one block is more than an owner holds in one go.</summary>
    public static HeldRoute? TryCreateMapped(HandoverPlan plan, HandoverTicket ticket, int firstToken)
    {
        Source[] sources = [.. plan.Used.Select(used => new Source(used, plan.PeerPools[used.Rank], default))];
        var route = new HeldRoute(plan, HandoverRoute.InPlace, sources, plan.Conversion);
        if (!route.TryCut(ticket, firstToken))
        {
            return null;
        }
        route.Share = route._windows.Aggregate(default(WireShare), (share, window) => share.Add(route.BytesOf(window.Source, window.Part), plan.Limits.WirePieceBytes));
        return route;
    }

    /// <summary>Null where half a slot is too small for one layer of one block, or an owner does not hold as much.</summary>
    /// <param name="exactHeads">Take only the heads that are wanted, where they can be cut out; else whole blocks.</param>
    public static HeldRoute? TryCreateCopied(HandoverPlan plan, HandoverTicket ticket, int firstToken, bool exactHeads)
    {
        var sources = new Source[plan.Used.Length];
        for (var index = 0; index < sources.Length; index++)
        {
            var used = plan.Used[index];
            var pool = plan.PeerPools[used.Rank];
            var taken = exactHeads && PagedRuns.CanTake(pool, used.FirstHead, used.Heads) ? pool with { FirstHead = used.FirstHead, Heads = used.Heads } : pool;
            if (WindowShape.Find(LayerTokenBytes(taken), pool.BlockTokens, plan.Target.BlockTokens, pool.BlockMajor, plan.Target.Layers,
                ticket.Tokens - firstToken + pool.BlockTokens, HalfOf(plan.Limits.SlotBytes)) is not { } shape)
            {
                return null;
            }
            sources[index] = new Source(used, taken with { Layers = shape.Layers, Tokens = shape.Tokens }, shape);
        }
        // In the order of the owner's ranks, as the pieces of the plan name their sources.
        if (!PagedConversionPlan.TryCreate([.. sources.Select(source => source.Staged)], plan.Target, staysInCache: false, out var conversion, out _))
        {
            return null;
        }
        var route = new HeldRoute(plan, HandoverRoute.ReaderConverts, sources, conversion);
        if (!route.TryCut(ticket, firstToken))
        {
            return null;
        }
        route.Share = route.Weigh(ticket);
        return route;
    }

    public Task<TransferOutcome> PullAsync(int window, int slot, HandoverPull pull, CancellationToken cancellationToken)
    {
        var (source, part) = _windows[window];
        var pool = PoolOf(source);
        var rank = pull.Ticket.Ranks[_sources[source].Used.Rank];
        var begin = part.FirstToken / pool.BlockTokens * pool.BlockTokens;
        var held = PagedRuns.Within(pool, rank.Blocks.Span, part.FirstLayer, part.Layers, begin, part.EndToken - begin)
            .ConvertAll(run => new TransferDescriptor(
                new RemoteRange(rank.LeaseId, pull.Ticket.Generation, rank.RegionId, rank.Offset + run.SourceOffset, run.Bytes), pull.TargetPool.Region, 0));
        return pull.ReadInPlaceAsync([.. held], Kind == HandoverRoute.InPlace
            ? new InPlaceRead(rank.RegionId, region => ConvertMapped(source, part, rank, region, pull), null)
            : new InPlaceRead(rank.RegionId, null, (memory, stopping) => CopyAndConvertAsync(source, part, rank, slot, memory, pull, stopping)), cancellationToken);
    }

    /// <summary>Whole cache lines, so that the second half begins with one.</summary>
    private static int HalfOf(int slotBytes) => slotBytes / 2 / 64 * 64;

    private KvLayout PoolOf(int source) => _plan.PeerPools[_sources[source].Used.Rank];

    // The pool lies mapped in whole, and the ticket's blocks lie in the pool: both were checked before the route was chosen.
    private void ConvertMapped(int source, in HandoverWindow part, HandoverRank rank, nint region, HandoverPull pull)
    {
        pull.CountRead(BytesOf(source, part));
        pull.Convert(_conversion, _sources[source].Used.Rank, new PagedKv(region + (nint)rank.Offset, PoolOf(source).PayloadBytes, rank.Blocks),
            new PagedWindow(part.FirstLayer, part.FirstLayer, part.Layers, part.FirstToken, part.FirstToken, part.Tokens));
    }

    private async Task<string?> CopyAndConvertAsync(
        int source, HandoverWindow part, HandoverRank rank, int slot, RemoteMemory memory, HandoverPull pull, CancellationToken stopping)
    {
        var steps = StepsOf(source, part);
        var copies = new Task<string?>[steps.Count];
        copies[0] = CopyAsync(0);
        try
        {
            for (var index = 0; index < steps.Count; index++)
            {
                if (index + 1 < steps.Count)
                {
                    copies[index + 1] = CopyAsync(index + 1); // into the other half, which was converted in the last round
                }
                if (await copies[index] is { } error)
                {
                    return error;
                }
                var step = steps[index];
                pull.Convert(_conversion, source, new PagedKv(pull.Staging.AddressOf(slot) + StartOf(index), _sources[source].Staged.PayloadBytes, default),
                    new PagedWindow(0, step.FirstLayer, step.Layers, step.FirstToken % PoolOf(source).BlockTokens, step.FirstToken, step.Tokens));
            }
            return null;
        }
        finally
        {
            // Whatever happened, nothing writes to the slot any more.
            await Task.WhenAll(copies.OfType<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Task<string?> CopyAsync(int index)
        {
            var runs = RunsOf(source, rank.Blocks.Span, steps[index]);
            var pieces = runs.ConvertAll(run => new TransferPiece(
                rank.RegionId, rank.Offset + run.SourceOffset, (int)run.Bytes, pull.Staging.Region, pull.Staging.OffsetOf(slot) + StartOf(index) + run.TargetOffset));
            foreach (var piece in pieces)
            {
                pull.CountRead(piece.Bytes);
            }
            return memory.ReadAsync(pieces, stopping).AsTask();
        }

        int StartOf(int index) => index % 2 * HalfOf(pull.Staging.SlotBytes);
    }

    /// <summary>What goes through half a slot at a time.</summary>
    private List<HandoverWindow> StepsOf(int source, in HandoverWindow part)
    {
        var firstLayer = part.FirstLayer;
        return _sources[source].Step.Cut(part.Layers, part.FirstToken, part.EndToken).ConvertAll(step => step with { FirstLayer = firstLayer + step.FirstLayer });
    }

    private List<PagedRun> RunsOf(int source, ReadOnlySpan<int> blocks, in HandoverWindow step)
    {
        var pool = PoolOf(source);
        var begin = step.FirstToken / pool.BlockTokens * pool.BlockTokens;
        return PagedRuns.Of(pool, blocks, _sources[source].Staged, default, new PagedWindow(step.FirstLayer, 0, step.Layers, begin, 0, step.EndToken - begin));
    }

    private bool TryCut(HandoverTicket ticket, int firstToken)
    {
        for (var source = 0; source < _sources.Length; source++)
        {
            if (WindowOf(PoolOf(source), _plan.Target, ticket.Tokens - firstToken) is not { } shape)
            {
                return false;
            }
            foreach (var part in shape.Cut(_plan.Target.Layers, firstToken, ticket.Tokens))
            {
                _windows.Add((source, part));
            }
        }
        return true;
    }

    /// <summary>At least two windows of a long request, so that two processors work on it.</summary>
    private static WindowShape? WindowOf(KvLayout pool, KvLayout target, int tokens)
    {
        var layerTokenBytes = LayerTokenBytes(pool);
        var blockLayerBytes = layerTokenBytes * pool.BlockTokens;
        // Half a layer of a block is the shortest piece that an owner is asked to hold.
        var most = Math.Min(TransferLimits.SegmentBytesMax, blockLayerBytes / 2 * TransferLimits.SegmentDescriptorCountMax);
        var wanted = Math.Clamp(layerTokenBytes * pool.Layers * tokens / 2, WindowBytesMin, WindowBytesMax);
        return WindowShape.Find(layerTokenBytes, pool.BlockTokens, target.BlockTokens, pool.BlockMajor, pool.Layers,
            tokens + pool.BlockTokens, (int)Math.Min(most, Math.Max(wanted, blockLayerBytes)));
    }

    /// <summary>Every layer has the pieces of the first: only those are looked at.</summary>
    private WireShare Weigh(HandoverTicket ticket)
    {
        var share = default(WireShare);
        for (var source = 0; source < _sources.Length; source++)
        {
            var blocks = ticket.Ranks[_sources[source].Used.Rank].Blocks.Span;
            var windows = _windows.Where(window => window.Source == source).SelectMany(window => StepsOf(source, window.Part)).ToArray();
            var first = windows.Where(step => step.FirstLayer == 0).ToArray();
            var one = default(WireShare);
            foreach (var step in first)
            {
                foreach (var run in RunsOf(source, blocks, step))
                {
                    one = one.Add(run.Bytes, _plan.Limits.WirePieceBytes);
                }
            }
            share = share.And(one.Times(windows.Length / first.Length));
        }
        return share;
    }

    /// <summary>Of the heads that are wanted.</summary>
    private long BytesOf(int source, in HandoverWindow part) =>
        LayerTokenBytes(PoolOf(source)) / PoolOf(source).Heads * _sources[source].Used.Heads * part.Layers * part.Tokens;

    private static long LayerTokenBytes(KvLayout layout) => layout.PayloadBytes / layout.PayloadTokens / layout.Layers;

    /// <param name="Staged">The layout of what half a slot holds; the pool's own where no slot is needed.</param>
    private readonly record struct Source(UsedRank Used, KvLayout Staged, WindowShape Step);
}
