using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange.Push;

public sealed class HandoverCostsTests
{
    private static readonly HandoverMode[] Modes = [HandoverMode.Pull, HandoverMode.Push, HandoverMode.PushLayerwise];

    [Fact]
    public void Choose_NothingMeasured_TriesEachModeThreeTimesAndPrefersTheFirst()
    {
        var costs = new HandoverCosts(4);
        Assert.Equal(
            [HandoverMode.Pull, HandoverMode.Push, HandoverMode.PushLayerwise, HandoverMode.Pull, HandoverMode.Push, HandoverMode.PushLayerwise, HandoverMode.Pull,
                HandoverMode.Push, HandoverMode.PushLayerwise, HandoverMode.Pull, HandoverMode.Pull],
            Enumerable.Range(0, 11).Select(_ => costs.Choose("d", 1, Modes)));
    }

    [Fact]
    public void Choose_OneModeIsCheaperForSmallAndAnotherForLarge_TakesEachWhereItIs()
    {
        var costs = Tried(new HandoverCosts(4), "d");
        foreach (var bytes in new[] { 1_000_000L, 2_000_000, 50_000_000, 100_000_000 })
        {
            costs.Add("d", "tcp", HandoverMode.Pull, bytes, TimeSpan.FromSeconds(0.001 + (bytes / 1e9)));
            costs.Add("d", "tcp", HandoverMode.Push, bytes, TimeSpan.FromSeconds(0.010 + (bytes / 1e10)));
            costs.Add("d", "tcp", HandoverMode.PushLayerwise, bytes, TimeSpan.FromSeconds(1));
        }
        Assert.Equal(HandoverMode.Pull, costs.Choose("d", 500_000, Modes));
        Assert.Equal(HandoverMode.Push, costs.Choose("d", 200_000_000, Modes));
        var pull = costs.Snapshot().Single(cost => cost.Mode == HandoverMode.Pull);
        Assert.Equal((0.001, 1e-9), (Math.Round(pull.FixedSeconds, 9), Math.Round(pull.SecondsPerByte, 15)));
    }

    [Fact]
    public void Choose_ModeThatWasSlow_IsProbedAndTakenOnceItIsFast()
    {
        var costs = Tried(new HandoverCosts(4), "d");
        foreach (var mode in Modes)
        {
            costs.Add("d", "tcp", mode, 1000, TimeSpan.FromSeconds(mode == HandoverMode.Pull ? 1 : 2));
        }
        var chosen = new List<HandoverMode>();
        for (var round = 0; round < 400; round++)
        {
            var mode = costs.Choose("d", 1000, Modes);
            chosen.Add(mode);
            costs.Add("d", "tcp", mode, 1000, TimeSpan.FromSeconds(mode == HandoverMode.Push ? 0.1 : 1));
        }
        Assert.Equal(HandoverMode.Pull, chosen[0]);
        Assert.True(chosen.TakeLast(32).Count(mode => mode == HandoverMode.Push) >= 29, string.Join(' ', chosen.TakeLast(32)));
        Assert.Contains(HandoverMode.PushLayerwise, chosen);
    }

    [Fact]
    public void Choose_ModeThatNeverBroughtAnything_IsLeftToProbes()
    {
        var costs = Tried(new HandoverCosts(4), "d");
        costs.Add("d", "tcp", HandoverMode.Pull, 1000, TimeSpan.FromSeconds(9));
        Assert.Equal(HandoverMode.Pull, costs.Choose("d", 1000, Modes));
    }

    [Fact]
    public void Add_OtherMedium_ForgetsWhatWasMeasuredOverTheFirst()
    {
        var costs = Tried(new HandoverCosts(4), "d");
        costs.Add("d", "tcp", HandoverMode.Pull, 1000, TimeSpan.FromSeconds(9));
        costs.Add("d", "shm", HandoverMode.Push, 1000, TimeSpan.FromSeconds(1));
        var only = Assert.Single(costs.Snapshot());
        Assert.Equal(("shm", HandoverMode.Push, 1L), (only.Medium, only.Mode, only.Samples));
    }

    [Fact]
    public void Choose_MorePeersThanAreRemembered_ForgetsTheOneUnusedLongest()
    {
        var costs = new HandoverCosts(2);
        costs.Choose("a", 1, Modes);
        costs.Choose("b", 1, Modes);
        costs.Choose("a", 1, Modes);
        costs.Choose("c", 1, Modes);
        Assert.Equal(["a", "c"], costs.Snapshot().Select(cost => cost.Peer).Distinct().Order());
    }

    [Fact]
    public void Estimate_AllOfOneSize_IsProportional()
    {
        var estimate = new HandoverEstimate();
        estimate.Add(1000, TimeSpan.FromSeconds(1));
        estimate.Add(1000, TimeSpan.FromSeconds(3));
        Assert.Equal(4, estimate.Predict(2000), 0.3);
    }

    [Fact]
    public void Estimate_NoBytesAtAll_IsTheFixedTime()
    {
        var estimate = new HandoverEstimate();
        estimate.Add(0, TimeSpan.FromSeconds(2));
        Assert.Equal(2, estimate.Predict(1000));
    }

    private static HandoverCosts Tried(HandoverCosts costs, string peer)
    {
        for (var index = 0; index < 9; index++)
        {
            costs.Choose(peer, 1, Modes);
        }
        return costs;
    }
}
