extern alias interleaving;

using interleaving::Ferry.Interleaving;
using interleaving::Ferry.Interleaving.Scenarios;
using Xunit;

namespace Ferry.UnitTests.Cache.Interleaving;

/// <summary>The memory tier under every order of its threads with one pre-emption, and under many drawn ones with up to four.</summary>
public sealed class InterleavingTests(ITestOutputHelper output)
{
    private const int SchedulesMax = 20_000; // Far above what one pre-emption needs; a scenario that reaches it has grown.
    private const int Drawn = 300; // Some seconds for all scenarios; FERRY_SCHEDULES raises it.

    public static TheoryData<string> Names => [.. StoreScenarios.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Store_InEveryOrderWithOnePreemption_KeepsItsBooksAndItsBytes(string name)
    {
        var report = Explorer.Explore(StoreScenarios.All[name], 1, SchedulesMax);
        output.WriteLine($"{name}: {report}");
        Assert.Null(report.Failure);
        Assert.True(report.IsComplete && report.Schedules > 5, report.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Store_InDrawnOrders_KeepsItsBooksAndItsBytes(string name)
    {
        var drawn = int.TryParse(Environment.GetEnvironmentVariable("FERRY_SCHEDULES"), out var more) ? more : Drawn;
        Assert.Null(Explorer.Sample(StoreScenarios.All[name], 4, drawn, seed: 1).Failure);
    }

    [Fact]
    public void Explorer_ALostUpdate_IsFound() => Assert.Contains("two increments gave 1", Explorer.Explore(ControlScenarios.LostUpdate, 1, 1000).Failure);

    [Fact]
    public void Explorer_ADeadlock_IsFound() => Assert.Contains("deadlock", Explorer.Explore(ControlScenarios.Deadlock, 1, 1000).Failure);

    [Fact]
    public void Explorer_LockedUpdates_AreTriedInEveryOrderAndHold()
    {
        var report = Explorer.Explore(ControlScenarios.LockedUpdate, 2, 100_000);
        Assert.Equal((true, null), (report.IsComplete, report.Failure));
        Assert.True(report.Schedules > 6, "three threads have six orders without any pre-emption");
    }
}
