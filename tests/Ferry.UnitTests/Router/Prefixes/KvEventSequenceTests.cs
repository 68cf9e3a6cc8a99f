using Ferry.Router.Prefixes.Events;
using Xunit;

namespace Ferry.UnitTests.Router.Prefixes;

public sealed class KvEventSequenceTests
{
    private readonly List<int> _applied = [];
    private readonly List<long> _asked = [];
    private int _forgotten;

    [Fact]
    public void Live_InOrder_IsApplied()
    {
        var sequence = Create(canReplay: false);
        for (byte number = 0; number < 4; number++) { sequence.Live(number, [number]); }
        Assert.Equal([0, 1, 2, 3], _applied);
        Assert.True(sequence.IsFollowing);
        Assert.Equal(0, _forgotten);
    }

    [Fact]
    public void Live_AGapWithReplay_AppliesWhatWasMissedFirst()
    {
        var sequence = Create();
        sequence.Live(0, [0]);
        sequence.Live(3, [3]);
        sequence.Live(4, [4]);
        Assert.Equal([1], _asked);
        Assert.False(sequence.IsFollowing);
        for (byte number = 1; number < 4; number++) { sequence.Replayed(number, [number]); }
        sequence.ReplayEnded();
        Assert.Equal([0, 1, 2, 3, 4], _applied);
        Assert.Equal(0, _forgotten);
        Assert.True(sequence.IsFollowing);
    }

    [Fact]
    public void Live_AGapWithoutReplay_ForgetsTheNode()
    {
        var sequence = Create(canReplay: false);
        sequence.Live(0, [0]);
        sequence.Live(2, [2]);
        Assert.Equal(1, _forgotten);
        Assert.Equal([0, 2], _applied);
    }

    [Fact]
    public void ReplayEnded_NothingCame_ForgetsAndGoesOn()
    {
        var sequence = Create();
        sequence.Live(0, [0]);
        sequence.Live(5, [5]);
        sequence.ReplayEnded();
        Assert.Equal(1, _forgotten);
        Assert.Equal([0, 5], _applied);
        Assert.Equal(6, sequence.Next);
    }

    [Fact]
    public void Replayed_BufferThatBeginsTooLate_ForgetsOnce()
    {
        var sequence = Create();
        sequence.Live(0, [0]);
        sequence.Live(9, [9]);
        sequence.Replayed(7, [7]);
        sequence.Replayed(8, [8]);
        sequence.Replayed(9, [9]);
        sequence.ReplayEnded();
        Assert.Equal(1, _forgotten);
        Assert.Equal([0, 7, 8, 9], _applied);
    }

    [Fact]
    public void Live_FirstNumberIsNotTheFirst_AsksForTheWholeBuffer()
    {
        var sequence = Create();
        sequence.Live(40, [40]);
        Assert.Equal([0], _asked);
        sequence.Replayed(38, [38]);
        sequence.Replayed(39, [39]);
        sequence.Replayed(40, [40]);
        sequence.ReplayEnded();
        Assert.Equal([38, 39, 40], _applied);
        Assert.Equal(0, _forgotten);
    }

    [Fact]
    public void Live_NumbersBeginAnew_ForgetsTheOldEngine()
    {
        var sequence = Create();
        sequence.Live(0, [0]);
        sequence.Live(1, [1]);
        sequence.Live(0, [0]);
        Assert.Equal(1, _forgotten);
        Assert.Equal([0, 1, 0], _applied);
    }

    [Fact]
    public void Live_MoreThanMayWait_LosesTheOldestAndSaysSo()
    {
        var sequence = Create(maxHeld: 2);
        sequence.Live(0, [0]);
        for (byte number = 2; number < 8; number++) { sequence.Live(number, [number]); }
        sequence.Replayed(1, [1]);
        sequence.ReplayEnded();
        Assert.Equal([0, 1, 6, 7], _applied);
        Assert.Equal(1, _forgotten);
    }

    private KvEventSequence Create(bool canReplay = true, int maxHeld = 100) =>
        new(payload => _applied.Add(payload.Span[0]), () => _forgotten++, canReplay ? _asked.Add : null, maxHeld);
}
