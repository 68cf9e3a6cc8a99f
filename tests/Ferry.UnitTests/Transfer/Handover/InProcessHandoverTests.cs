using Ferry.Kv.Layout;
using Ferry.TestKit;
using Ferry.TestKit.Contracts;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Handover;
using Ferry.Transfer.InProcess;
using Xunit;

namespace Ferry.UnitTests.Transfer.Handover;

public sealed class InProcessHandoverTests : MappedHandoverContract
{
    /// <summary>A 1B-class model: 16 layers, 8 KV heads of 64, bf16; the layouts of an MI300X and of a Gaudi3.</summary>
    private static readonly KvLayout Mi300x = new()
    {
        Layers = 16,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 64,
        Tokens = 160 * 16,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly KvLayout Gaudi3 = Mi300x with { Tokens = 20 * 128, BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };

    private readonly SteppedClock _clock = new();
    private readonly InProcessNetwork _network;
    private int _agentCount;

    public InProcessHandoverTests() => _network = new InProcessNetwork(_clock);

    protected override int Iterations => 250;

    protected override TimeProvider Clock => _clock;

    [Theory]
    [InlineData(4, 2, false, HandoverRoute.ReaderConverts)] // blocks in order: the owner does nothing
    [InlineData(4, 2, true, HandoverRoute.WriterConverts)] // scattered blocks are 8 KiB apart: the owner packs
    [InlineData(4, 8, true, HandoverRoute.WriterConverts)]
    [InlineData(1, 8, false, HandoverRoute.WriterConverts)] // one head of eight: packing it saves seven eighths of the wire
    [InlineData(8, 1, false, HandoverRoute.ReaderConverts)]
    public async Task Pull_OfAThousandsOfTokens_PutsLongPiecesOnTheWire(int sourceTp, int targetTp, bool scattered, HandoverRoute expected)
    {
        const int Tokens = 2_100;
        var limits = new HandoverLimits { SlotBytes = 4 << 20 };
        var target = Gaudi3.ForRank(0, targetTp);
        var (scene, peer, reader, plan, pool) = await ArrangeAsync(Ranks(Mi300x, sourceTp), target, Tokens, scattered, limits, 4);
        Assert.True(scene.Offer(Long).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        var pieces = new List<long>();
        var blocks = HandoverScene.Blocks(17, 20, true, 9);

        var pulled = await reader.PullAsync(CountingPeer.Around(peer, pieces), plan, HandoverScene.RequestId, ticket, pool.Pool, blocks, 0, Token);

        Assert.True(pulled.Outcome.IsSuccess, pulled.Outcome.ToString());
        Assert.Equal(expected, pulled.Report!.Route);
        Assert.NotEmpty(pieces);
        Assert.Equal((pieces.Sum(), pieces.Count, pieces.Min()), (pulled.Report.WireBytes, (int)pulled.Report.Pieces, pulled.Report.SmallestPieceBytes));
        Assert.True(pieces.Average() >= limits.WirePieceBytes, $"{pieces.Average()} bytes on average.");
        // The ends of runs may be short; nine tenths of the bytes are in long pieces.
        Assert.True(pieces.Where(piece => piece >= limits.WirePieceBytes).Sum() * 10 >= pieces.Sum() * 9, string.Join(", ", pieces.GroupBy(p => p).Select(g => $"{g.Count()} × {g.Key}")));
        Assert.Null(pool.FindDifference(4, Mi300x, blocks, Tokens, 0));
        await CloseAsync(scene, peer, reader);
    }

    [Fact]
    public async Task Pull_NarrowerNumbers_AreCastBeforeTheWire()
    {
        var wide = Mi300x with { DType = KvDType.Float32 };
        var (scene, peer, reader, plan, pool) = await ArrangeAsync(Ranks(wide, 4), Gaudi3.ForRank(0, 4), 2_048, false, new HandoverLimits(), 4);
        Assert.True(scene.Offer(Long).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        var pulled = await reader.PullAsync(peer, plan, HandoverScene.RequestId, ticket, pool.Pool, HandoverScene.Blocks(16, 20, false, 1), 0, Token);
        Assert.Equal(HandoverRoute.WriterConverts, pulled.Report!.Route);
        Assert.Equal(pulled.Outcome.Bytes, pulled.Report.WireBytes);
        Assert.Contains("reader converts", pulled.Report.Reason, StringComparison.Ordinal); // and what the other way would have cost
        await CloseAsync(scene, peer, reader);
    }

    [Fact]
    public async Task Offer_WithSeveralReaders_EndsWithTheLastAndItsBlocksMayBeReused()
    {
        var layouts = Ranks(Mi300x with { Layers = 1, Tokens = 64 * 16 }, 2);
        var (scene, peer, reader, plan, _) = await ArrangeAsync(layouts, Gaudi3 with { Layers = 1 }, 100, true, new HandoverLimits(), 4);
        var ends = new List<LeaseEnd>();
        Assert.True(scene.Offer(Long, readers: 2, ends.Add).IsSuccess);
        Assert.Equal(TransferError.Overloaded, scene.Offer(Long).Error); // it is offered already
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        var release = new Ferry.Transfer.SideChannel.ReleaseRequest(HandoverScene.RequestId, ticket.Ranks[0].LeaseId, true);

        Assert.True((await peer.ReleaseAsync(release, Token)).IsSuccess);
        Assert.Empty(ends);
        Assert.Equal(1, scene.Desk.OfferCount);
        Assert.True((await peer.ReleaseAsync(release, Token)).IsSuccess);
        Assert.Equal([LeaseEnd.Released], ends);
        Assert.Equal(0, scene.Desk.OfferCount);
        await CloseAsync(scene, peer, reader);
    }

    [Fact]
    public async Task Offer_Extended_LivesOnAndExpiresAfterwards()
    {
        var layouts = Ranks(Mi300x with { Layers = 1, Tokens = 64 * 16 }, 2);
        var (scene, peer, reader, plan, _) = await ArrangeAsync(layouts, Gaudi3 with { Layers = 1 }, 100, true, new HandoverLimits(), 4);
        var ends = new List<LeaseEnd>();
        Assert.True(scene.Offer(TimeSpan.FromSeconds(10), readers: 1, ends.Add).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        Assert.InRange(ticket.LeaseLeft, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10));
        var hold = new Ferry.Transfer.SideChannel.LeaseHold(HandoverScene.RequestId, ticket.Ranks[0].LeaseId);
        var extended = await peer.ExtendAsync(new Ferry.Transfer.SideChannel.ExtendRequest([hold, new("unknown", 5)], TimeSpan.FromSeconds(20)), Token);
        Assert.Equal([TimeSpan.FromSeconds(20), TimeSpan.Zero], extended.Left);

        await PassAsync(TimeSpan.FromSeconds(21));

        await Eventually.HoldsAsync(() => ends.Count > 0); // The sweep runs on the thread pool once the clock has woken it.
        Assert.Equal([LeaseEnd.Expired], ends);
        Assert.Equal(TransferError.NotFound, (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Outcome.Error);
        await CloseAsync(scene, peer, reader);
    }

    [Theory]
    [InlineData(2, false)] // a range of the pool read in order
    [InlineData(7, true)] // more windows than slots at the owner
    public async Task Pull_ManyReadersAtOnce_EachGetsItsOwnRank(int readers, bool scattered)
    {
        const int Tokens = 700;
        var limits = new HandoverLimits { SlotBytes = 128 << 10, SlotCount = 2 };
        var (scene, peer, reader, plan, first) = await ArrangeAsync(Ranks(Mi300x with { Layers = 2, Tokens = 64 * 16 }, 4), (Gaudi3 with { Layers = 2 }).ForRank(0, 8), Tokens, scattered, limits, 4);
        Assert.True(scene.Offer(Long, readers).IsSuccess);
        var ticket = (await plan.AskAsync(peer, HandoverScene.RequestId, Token)).Ticket!;
        var blocks = HandoverScene.Blocks(6, 20, true, 3);
        var agent = await StartAsync("reader-2");
        await using var otherPeer = (await agent.ConnectAsync(scene.Owner.Endpoint, Token)).Peer!;
        await using var otherReader = new HandoverReader(agent, limits, Clock);
        var pools = Enumerable.Range(1, readers).Select(rank => new TestPool(agent, (Gaudi3 with { Layers = 2 }).ForRank(rank % 8, 8), 70 + rank)).ToArray();

        var pulls = pools.Select(pool =>
        {
            Assert.True(HandoverPlan.TryCreate(otherPeer.Remote.Kv, pool.Layout, limits, out var own, out _));
            return otherReader.PullAsync(otherPeer, own, HandoverScene.RequestId, ticket, pool.Pool, blocks, 0, Token);
        }).Append(reader.PullAsync(peer, plan, HandoverScene.RequestId, ticket, first.Pool, blocks, 0, Token)).ToArray();

        foreach (var pulled in await Task.WhenAll(pulls).WaitAsync(TimeSpan.FromSeconds(60), Token))
        {
            Assert.True(pulled.Outcome.IsSuccess, pulled.Outcome.ToString());
        }
        Assert.All(pools.Append(first), pool => Assert.Null(pool.FindDifference(4, Mi300x, blocks, Tokens, 0)));
        await otherReader.DisposeAsync();
        await otherPeer.DisposeAsync();
        await CloseAsync(scene, peer, reader);
        Assert.Equal(0, scene.Owner.Counts.Leases);
    }

    protected override Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        Task.FromResult<ITransferAgent>(InProcessTransferAgent.Start(_network, endpoint ?? $"agent-{++_agentCount}", options));

    protected override Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }
}
