using CsCheck;
using Ferry.Kv.Layout;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Handover;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>Hand-overs between unlike paged pools, over any medium, against a scalar reference.</summary>
public abstract class HandoverContract : TransferContractFixture
{
    private static readonly int[] BlockTokens = [16, 32, 48, 64, 128, 256];

    private static readonly KvLayout Whole = new()
    {
        Layers = 2,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 16,
        Tokens = 16,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly Gen<(KvOrder Order, KvPacking Packing, bool BlockMajor, int Block)> Shapes =
        Gen.Select(Gen.OneOf(KvOrder.Nhd, KvOrder.Hnd), Gen.Enum<KvPacking>(), Gen.Bool, Gen.OneOf(BlockTokens), (order, packing, blockMajor, block) =>
            (order, packing, blockMajor && packing != KvPacking.Split, block));

    /// <summary>Heads and the tensor-parallel sizes of both sides; more ranks than heads replicate them.</summary>
    private static readonly Gen<(int Heads, int SourceTp, int TargetTp)> Parallel = Gen.OneOf(
        [.. from heads in new[] { 1, 2, 4, 8 } from source in new[] { 1, 2, 4, 8 } from target in new[] { 1, 2, 4, 8 } select (heads, source, target)]);

    private static readonly Gen<(KvDType, float, KvDType, float)> DTypes =
        Gen.Select(Gen.Bool, Gen.Enum<KvDType>(), Gen.OneOf(1f, 0.5f, 0.37f), Gen.Enum<KvDType>(), Gen.OneOf(1f, 0.25f, 3.1f)).Select(
            (same, source, sourceScale, target, targetScale) => same
                ? (source, 1f, source, 1f)
                : (source, source.IsFp8() ? sourceScale : 1f, target, target.IsFp8() ? targetScale : 1f));

    private static readonly Gen<(bool SourceScattered, bool TargetScattered, bool Prefix, HandoverRoute? Route, int SlotBytes)> Ways =
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.OneOf<HandoverRoute?>(null, HandoverRoute.ReaderConverts, HandoverRoute.WriterConverts, HandoverRoute.InPlace), Gen.OneOf(1 << 20, 1 << 16, 1 << 21));

    /// <summary>Cases of the property: as many as the medium makes in a few seconds.</summary>
    protected abstract int Iterations { get; }

    /// <summary>Whether a reader reaches the owner's pools where they lie, so that it converts in place.</summary>
    protected virtual bool IsMapped => false;

    /// <summary>Whether pools lie in memory that other processes can map.</summary>
    protected virtual bool IsShared => false;

    [Fact]
    public async Task Pull_AnyPoolIntoAnyOther_EqualsTheReference()
    {
        var cases = Gen.Select(Shapes, Shapes, Parallel, DTypes, Ways, Gen.Select(Gen.Int[1, 3], Gen.Int[1, 270], Gen.OneOf(1, 8, 16, 20, 33, 64), Gen.Int[0, int.MaxValue]));
        var routes = new Dictionary<HandoverRoute, int>();
        await cases.SampleAsync(async (source, target, parallel, types, way, rest) =>
        {
            var (layers, tokens, headDim, seed) = rest;
            tokens = Math.Clamp(tokens, 1, Math.Max(1, 12_000 / (layers * headDim * parallel.Heads))); // keeps one case near a millisecond in the reference
            var (sourceType, sourceScale, targetType, targetScale) = types;
            var from = Layout(source, layers, parallel.Heads, headDim, sourceType, sourceScale, tokens, seed);
            var into = Layout(target, layers, parallel.Heads, headDim, targetType, targetScale, tokens, seed / 3);
            // A slot takes one layer of one block of all heads at least.
            var leastBytes = 2 * parallel.Heads * headDim * Math.Max(sourceType.Bytes(), targetType.Bytes()) * Math.Max(source.Block, target.Block) + 1024;
            var route = await CheckAsync(
                Ranks(from, parallel.SourceTp), into.ForRank(seed % parallel.TargetTp, parallel.TargetTp), tokens,
                way.Prefix && tokens > target.Block ? target.Block : 0, way.SourceScattered, way.TargetScattered, new HandoverLimits { Route = way.Route == HandoverRoute.InPlace && !IsMapped ? null : way.Route, SlotBytes = Math.Max(leastBytes, way.SlotBytes) }, seed);
            routes[route] = routes.GetValueOrDefault(route) + 1;
        }, iter: Iterations, threads: 1);
        Assert.True(routes.Count >= 2, $"Only {string.Join(", ", routes.Keys)} were taken: this run proves too little.");
    }

    [Theory]
    [InlineData(8, null)]
    [InlineData(2, null)]
    [InlineData(8, HandoverRoute.ReaderConverts)]
    [InlineData(2, HandoverRoute.ReaderConverts)]
    [InlineData(8, HandoverRoute.WriterConverts)]
    [InlineData(2, HandoverRoute.WriterConverts)]
    public Task Pull_Mi300xIntoGaudi3_EveryRankEqualsTheReference(int targetTp, HandoverRoute? route) => PullEveryRankAsync(targetTp, route);

    protected async Task PullEveryRankAsync(int targetTp, HandoverRoute? route)
    {
        const int Tokens = 300; // 18 whole blocks of 16 and a part, two of 128 and a part
        var mi300x = Whole with { Tokens = 64 * 16 };
        var gaudi3 = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };
        for (var rank = 0; rank < targetTp; rank++)
        {
            await CheckAsync(Ranks(mi300x, 4), gaudi3.ForRank(rank, targetTp), Tokens, 0, true, true, new HandoverLimits { Route = route }, seed: 11 + rank);
        }
    }

    [Fact]
    public async Task Pull_Gaudi3IntoMi300x_WithPrefixInsideABlockOfTheOwner_EqualsTheReference()
    {
        var gaudi3 = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };
        var mi300x = Whole with { Tokens = 64 * 16 };
        foreach (var firstToken in new[] { 16, 144, 288 })
        {
            await CheckAsync(Ranks(gaudi3, 2), mi300x.ForRank(1, 4), 300, firstToken, true, true, new HandoverLimits(), seed: firstToken);
        }
    }

    [Fact]
    public async Task Pull_AlikePools_GoesFromBlockToBlock()
    {
        var pool = Whole with { Tokens = 64 * 16 };
        Assert.Equal(HandoverRoute.Direct, await CheckAsync(Ranks(pool, 4), pool.ForRank(2, 4), 300, 0, false, false, new HandoverLimits { WirePieceBytes = 1024 }, seed: 5));
        // Heads are cut out of whole blocks where they stand before tokens.
        Assert.Equal(HandoverRoute.Direct, await CheckAsync(
            Ranks(pool, 2), pool.ForRank(2, 4), 300, 32, true, true, new HandoverLimits { Route = HandoverRoute.Direct }, seed: 6));
    }

    [Fact]
    public async Task Pull_UnlikePoolsThatLieMapped_ConvertsInPlace()
    {
        var target = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd };
        Assert.Equal(IsMapped, await CheckAsync(Ranks(Whole with { Tokens = 64 * 16 }, 4), target.ForRank(1, 2), 300, 128, true, true, new HandoverLimits(), seed: 4) == HandoverRoute.InPlace);
    }

    [Fact]
    public async Task Pull_WindowsSmallerThanAChunk_EqualsTheReference()
    {
        var mi300x = Whole with { Tokens = 64 * 16 };
        var gaudi3 = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split, DType = KvDType.Float32 };
        // One layer of one block of either side: a slot cannot be smaller.
        foreach (var (route, slotBytes) in new[] { (HandoverRoute.ReaderConverts, 12_288), (HandoverRoute.WriterConverts, 1 << 17) })
        {
            await CheckAsync(Ranks(mi300x, 4), gaudi3.ForRank(0, 1), 300, 0, true, true, new HandoverLimits { Route = route, SlotBytes = slotBytes, SlotCount = 2 }, seed: 8);
        }
    }

    [Fact]
    public async Task Pull_LeaseWithdrawnBeforeOrReleasedAfter_NeverSucceedsWithoutALease()
    {
        var layouts = Ranks(Whole with { Tokens = 64 * 16 }, 2);
        var target = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };
        foreach (var route in new[] { HandoverRoute.ReaderConverts, HandoverRoute.WriterConverts, HandoverRoute.InPlace }.Where(route => IsMapped || route != HandoverRoute.InPlace))
        {
            var (scene, peer, reader, plan, pool) = await ArrangeAsync(layouts, target, 300, true, new HandoverLimits { Route = route }, 3);
            var blocks = HandoverScene.Blocks(3, 8, true, 1);
            var ended = new TaskCompletionSource<LeaseEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
            Assert.True(scene.Offer(Long, readers: 1, end => ended.SetResult(end)).IsSuccess);
            var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;

            await peer.ReleaseAsync(new Ferry.Transfer.SideChannel.ReleaseRequest(HandoverScene.RequestId, ticket.Ranks[0].LeaseId, true), Token);

            Assert.Equal(LeaseEnd.Released, await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token));
            Assert.Equal(0, scene.Desk.OfferCount);
            var pulled = await reader.PullAsync(peer, plan, HandoverScene.RequestId, ticket, pool.Pool, blocks, 0, Token);
            Assert.Equal((TransferSide.Remote, TransferError.LeaseUnknown), (pulled.Outcome.Side, pulled.Outcome.Error));
            Assert.Equal(TransferError.NotFound, (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Outcome.Error);
            await CloseAsync(scene, peer, reader);
        }
    }

    [Fact]
    public async Task Pull_Cancelled_EndsAndLeavesNothingInUse()
    {
        var layouts = Ranks(Whole with { Tokens = 64 * 16 }, 2);
        var target = Whole with { Tokens = 8 * 128, BlockTokens = 128, Order = KvOrder.Nhd };
        var (scene, peer, reader, plan, pool) = await ArrangeAsync(layouts, target, 300, true, new HandoverLimits { SlotBytes = 65_536 }, 3);
        Assert.True(scene.Offer(Long).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        var pulled = await reader.PullAsync(peer, plan, HandoverScene.RequestId, ticket, pool.Pool, HandoverScene.Blocks(3, 8, true, 1), 0, cancelled.Token);

        Assert.Equal((TransferSide.Local, TransferError.Cancelled), (pulled.Outcome.Side, pulled.Outcome.Error));
        await pool.Pool.Region.DisposeAsync(); // nothing holds it
        await CloseAsync(scene, peer, reader);
    }

    [Theory]
    [InlineData(HandoverRoute.ReaderConverts)]
    [InlineData(HandoverRoute.WriterConverts)]
    public Task Pull_OwnerGoesMidway_EndsWithTheOwnerToBlameAndNothingInUse(HandoverRoute route) => PullWhileTheOwnerGoesAsync(route);

    protected async Task PullWhileTheOwnerGoesAsync(HandoverRoute route)
    {
        const int Tokens = 4000;
        var layouts = Ranks(Whole with { Layers = 8, Tokens = 4096 }, 2);
        var target = Whole with { Layers = 8, Tokens = 4096, BlockTokens = 128, Order = KvOrder.Nhd };
        var (scene, peer, reader, plan, pool) = await ArrangeAsync(layouts, target, Tokens, true, new HandoverLimits { Route = route, SlotBytes = 65_536, SlotCount = 2 }, 3);
        Assert.True(scene.Offer(Long).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        // Ranks go one after the other until the owner is gone.
        var pulling = Task.Run(async () =>
        {
            HandoverResult result;
            do
            {
                result = await reader.PullAsync(peer, plan, HandoverScene.RequestId, ticket, pool.Pool, HandoverScene.Blocks(32, 32, true, 1), 0, Token);
            }
            while (result.Outcome.IsSuccess);
            return result.Outcome;
        }, Token);
        await Task.Yield();

        await scene.Owner.DisposeAsync();

        var outcome = await pulling.WaitAsync(TimeSpan.FromSeconds(60), Token);
        Assert.Equal(TransferSide.Remote, outcome.Side);
        await pool.Pool.Region.DisposeAsync(); // nothing holds it
        await CloseAsync(scene, peer, reader);
    }

    /// <summary>One hand-over from the offer to the comparison; returns the route that was taken.</summary>
    protected async Task<HandoverRoute> CheckAsync(
        IReadOnlyList<KvLayout> sources, KvLayout target, int tokens, int firstToken, bool sourceScattered, bool targetScattered, HandoverLimits limits, int seed)
    {
        var (scene, peer, reader, plan, pool) = await ArrangeAsync(sources, target, tokens, sourceScattered, limits, seed);
        var blocks = HandoverScene.Blocks((tokens + target.BlockTokens - 1) / target.BlockTokens, target.Tokens / target.BlockTokens, targetScattered, seed + 1);
        var offered = scene.Offer(Long);
        Assert.True(offered.IsSuccess, offered.ToString());
        var asked = await plan.AskAsync(peer, HandoverScene.RequestId, Token);
        Assert.True(asked.Outcome.IsSuccess, asked.Outcome.ToString());
        var pulled = await reader.PullAsync(peer, plan, HandoverScene.RequestId, asked.Ticket!, pool.Pool, blocks, firstToken, Token);
        Assert.True(pulled.Outcome.IsSuccess, pulled.Outcome.ToString());
        Assert.Null(pool.FindDifference(seed, sources[0], blocks, tokens, firstToken));
        Assert.Equal(target.PayloadBytes / target.PayloadTokens * (tokens - firstToken), pulled.Outcome.Bytes);
        await CloseAsync(scene, peer, reader);
        return pulled.Report!.Route;
    }

    protected async Task<(HandoverScene Scene, ITransferPeer Peer, HandoverReader Reader, HandoverPlan Plan, TestPool Pool)> ArrangeAsync(
        IReadOnlyList<KvLayout> sources, KvLayout target, int tokens, bool scattered, HandoverLimits limits, int seed)
    {
        // The owner's slots are its own affair; its route is the reader's to choose.
        var desk = new HandoverDesk(limits with { Route = null }, Clock);
        var owner = await StartAsync("owner", handler: desk, kv: HandoverScene.Describe(sources));
        var readerAgent = await StartAsync("reader");
        var block = sources[0].BlockTokens;
        var table = HandoverScene.Blocks((tokens + block - 1) / block, sources[0].Tokens / block, scattered, seed);
        var scene = HandoverScene.Open(desk, owner, sources, [table], tokens, seed, IsShared ? Share : null);
        var (peer, outcome) = await readerAgent.ConnectAsync(owner.Endpoint, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        Assert.True(HandoverPlan.TryCreate(peer!.Remote.Kv, target, limits, out var plan, out var mismatches), string.Join("; ", mismatches));
        return (scene, peer, new HandoverReader(readerAgent, limits, Clock), plan, new TestPool(readerAgent, target, seed + 2));
    }

    protected static async Task CloseAsync(HandoverScene scene, ITransferPeer peer, HandoverReader reader)
    {
        await reader.DisposeAsync();
        await peer.DisposeAsync();
        scene.Desk.Withdraw(HandoverScene.RequestId);
        await scene.Desk.DisposeAsync();
        await Eventually.HoldsAsync(() => scene.Desk.OfferCount == 0); // The owner's thread lets go of a lease after its last answer has left.
    }

    protected static KvLayout[] Ranks(KvLayout whole, int size) => [.. Enumerable.Range(0, size).Select(rank => whole.ForRank(rank, size))];

    /// <summary>A pool with some blocks more than the tokens need.</summary>
    private static KvLayout Layout(
        (KvOrder Order, KvPacking Packing, bool BlockMajor, int Block) shape, int layers, int heads, int headDim, KvDType dtype, float scale, int tokens, int seed) => new()
        {
            Layers = layers,
            ModelHeads = heads,
            FirstHead = 0,
            Heads = heads,
            HeadDim = headDim,
            Tokens = ((tokens + shape.Block - 1) / shape.Block + seed % 4) * shape.Block,
            BlockTokens = shape.Block,
            DType = dtype,
            Order = shape.Order,
            Packing = shape.Packing,
            BlockMajor = shape.BlockMajor,
            Scale = scale,
        };
}
