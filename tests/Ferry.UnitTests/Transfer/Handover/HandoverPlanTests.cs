using Ferry.Kv.Layout;
using Ferry.TestKit.Transfer;
using Ferry.Transfer.Handover;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Transfer.Handover;

public sealed class HandoverPlanTests
{
    private static readonly KvLayout Peer = new()
    {
        Layers = 2,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 16,
        Tokens = 64,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly HandoverLimits Limits = new();

    [Fact]
    public void Create_UnlikeModels_ListsEveryFieldWithBothValues()
    {
        KvLayout[] pools = [Peer.ForRank(0, 2), Peer.ForRank(1, 2)];
        var target = Peer with { Layers = 3, ModelHeads = 16, Heads = 16, HeadDim = 32, BlockTokens = 128, Tokens = 256, Order = KvOrder.Nhd };
        Assert.False(HandoverPlan.TryCreate(HandoverScene.Describe(pools), target, Limits, out var plan, out var mismatches));
        Assert.Null(plan);
        Assert.Equal(
            [
                "peer rank 0: layers=2, the target has 3",
                "peer rank 0: model heads=8, the target has 16",
                "peer rank 0: head_dim=16, the target has 32",
                "peer rank 1: layers=2, the target has 3",
                "peer rank 1: model heads=8, the target has 16",
                "peer rank 1: head_dim=16, the target has 32",
                "heads=8..16 of the target (heads=0..16/16) lie in no source",
            ],
            mismatches);
    }

    [Fact]
    public void Create_PeerWithoutLayoutsOrWithNonsense_SaysWhichRankAndWhy()
    {
        Assert.False(HandoverPlan.TryCreate(KvDescription.None, Peer, Limits, out _, out var mismatches));
        Assert.Contains("describes no rank", Assert.Single(mismatches), StringComparison.Ordinal);

        var kv = new KvDescription(1, 256, "x", [Peer.ToString(), "layers=two", (Peer with { Order = KvOrder.TwoLtd, BlockTokens = 0, Packing = KvPacking.Split }).ToString(), "order=opaque bytes=5"]);
        Assert.False(HandoverPlan.TryCreate(kv, Peer, Limits, out _, out mismatches));
        Assert.Equal(3, mismatches.Count);
        Assert.StartsWith("peer rank 1: ", mismatches[0], StringComparison.Ordinal);
        Assert.Contains("is no pool", mismatches[1], StringComparison.Ordinal);
        Assert.Contains("is no pool", mismatches[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Create_PoolOfOtherLength_IsNoMismatch()
    {
        Assert.True(HandoverPlan.TryCreate(HandoverScene.Describe([Peer with { Tokens = 160 }]), Peer with { Tokens = 32 }, Limits, out var plan, out _));
        Assert.Equal([0], plan.PeerRanks);
    }

    [Fact]
    public void Create_ReplicatedHeads_ReadsOneOfTheReplicas()
    {
        var kv = HandoverScene.Describe(Enumerable.Range(0, 16).Select(rank => Peer.ForRank(rank, 16)));
        Assert.True(HandoverPlan.TryCreate(kv, Peer.ForRank(1, 4), Limits, out var plan, out _));
        Assert.Equal([4, 6], plan.PeerRanks);
    }

    [Fact]
    public void Create_TargetThatIsNoPool_SaysSo()
    {
        Assert.False(HandoverPlan.TryCreate(HandoverScene.Describe([Peer]), Peer with { Tokens = 40 }, Limits, out _, out var mismatches));
        Assert.Equal(["target: tokens=40 are not whole blocks of 16"], mismatches);
    }

    [Theory]
    [InlineData("ucx", HandoverRoute.WriterConverts)] // 8 KiB an operation would cost five times their bytes
    [InlineData("tcp", HandoverRoute.ReaderConverts)] // gathered into segments by the medium
    [InlineData("shm", HandoverRoute.ReaderConverts)] // a copy of 8 KiB is a copy
    public void Choose_ScatteredBlocks_DependsOnTheMedium(string medium, HandoverRoute expected)
    {
        var pool = Peer with { Tokens = 4096, HeadDim = 64 };
        var target = Peer with { Tokens = 1024, HeadDim = 64, BlockTokens = 128, Order = KvOrder.Nhd };
        Assert.True(HandoverPlan.TryCreate(HandoverScene.Describe([pool.ForRank(0, 4), pool.ForRank(1, 4), pool.ForRank(2, 4), pool.ForRank(3, 4)]), target, Limits, out var plan, out _));
        var table = HandoverScene.Blocks(64, 256, scattered: true, seed: 1);
        var ticket = new HandoverTicket(1, 1024, TimeSpan.FromSeconds(30), Limits.SlotBytes, [.. Enumerable.Range(0, 4).Select(rank => new HandoverRank(1, 1, 0, table))]);
        var choice = plan.Choose(ticket, HandoverScene.Blocks(8, 8, false, 1), 0, medium, InPlaceReach.None)!;
        Assert.Equal(expected, choice.Route);
        Assert.Contains("writer packs", choice.Reason, StringComparison.Ordinal);
    }
}
