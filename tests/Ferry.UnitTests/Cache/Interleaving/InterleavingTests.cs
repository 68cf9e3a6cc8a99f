extern alias interleaving;

using interleaving::Ferry.Interleaving;
using interleaving::Ferry.Interleaving.Scenarios;
using Xunit;

namespace Ferry.UnitTests.Cache.Interleaving;

/// <summary>The memory tier under every order of its threads with up to two pre-emptions.</summary>
public sealed class InterleavingTests(ITestOutputHelper output)
{
    private const int PreemptionsMax = 2;
    private const int SchedulesMax = 2_500; // Bounds the time: some seconds a scenario on a busy machine. FERRY_SCHEDULES raises it.

    public static TheoryData<string> Names => [.. StoreScenarios.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Store_InEveryOrder_KeepsItsBooksAndItsBytes(string name)
    {
        var schedulesMax = int.TryParse(Environment.GetEnvironmentVariable("FERRY_SCHEDULES"), out var more) ? more : SchedulesMax;
        var report = Explorer.Explore(StoreScenarios.All[name], PreemptionsMax, schedulesMax);
        output.WriteLine($"{name}: {report}");
        Assert.Null(report.Failure);
        Assert.True(report.Schedules > 10, "the threads never met");
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
