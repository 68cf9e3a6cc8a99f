using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class LeaseTableTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly RegionTable _regions = new(regionCountMax: 4);
    private readonly MemoryRegion _region;
    private readonly LeaseTable _leases;

    public LeaseTableTests()
    {
        _region = _regions.Add(0x1000, 1000); // never dereferenced here
        _leases = new LeaseTable(7, _regions, new LeaseLimits { LeaseCountMax = 3, RangeCountMax = 4, DurationMax = TimeSpan.FromSeconds(60) },
            _clock, new SeededEntropy(1));
    }

    private LeaseRange Range(long offset, long bytes) => new(_region.Id, offset, bytes);

    [Fact]
    public void TryGrant_RangesThatCannotBe_Throws()
    {
        LeaseRange[][] bad =
        [
            [], [Range(0, 0)], [Range(-1, 5)], [Range(999, 2)], [Range(0, 10), Range(9, 10)], [new LeaseRange(99, 0, 1)],
            [Range(0, 1), Range(1, 1), Range(2, 1), Range(3, 1), Range(4, 1)],
        ];
        foreach (var ranges in bad)
        {
            Assert.Throws<ArgumentException>(() => _leases.TryGrant(ranges, TimeSpan.FromSeconds(1)));
        }
        Assert.Throws<ArgumentException>(() => _leases.TryGrant([Range(0, 1)], TimeSpan.Zero));
        Assert.Equal(0, _leases.Count);
    }

    [Fact]
    public void TryGrant_TableFull_IsNullUntilOneEnds()
    {
        var first = _leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(1))!;
        Assert.NotNull(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(1)));
        Assert.NotNull(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(1)));
        Assert.Null(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(1)));
        _leases.Release(first.Id);
        Assert.NotNull(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void TryExtend_ShorterThanWhatIsLeft_ChangesNothing_AndLongerIsCapped()
    {
        var lease = _leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(30))!;
        Assert.Equal(TimeSpan.FromSeconds(30), _leases.TryExtend(lease.Id, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(60), _leases.TryExtend(lease.Id, TimeSpan.FromDays(400)));
        _clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(_leases.TryExtend(lease.Id, TimeSpan.FromSeconds(5)));
        Assert.Null(_leases.TryGetLeft(lease.Id));
    }

    [Fact]
    public void End_WhileInUse_IsSeenAtOnceAndCallsBackWhenTheLastUserLeaves()
    {
        var ends = new List<LeaseEnd>();
        var lease = _leases.TryGrant([Range(0, 10)], TimeSpan.FromSeconds(30), null, (_, end) => ends.Add(end))!;
        Assert.Equal(TransferError.None, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out var one));
        Assert.Equal(TransferError.None, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out var other));

        Assert.True(_leases.Revoke(lease.Id));
        Assert.Equal(TransferError.LeaseRevoked, _leases.Check(one!));
        Assert.Equal(TransferError.LeaseRevoked, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out _));
        _leases.EndUse(one!);
        Assert.Empty(ends);
        Assert.Equal(1, _leases.Count);
        _leases.EndUse(other!);
        Assert.Equal([LeaseEnd.Revoked], ends);
        Assert.Equal(0, _leases.Count);
        Assert.Equal(TransferError.LeaseUnknown, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out _));
    }

    [Fact]
    public void Expiry_WhileInUse_IsSeenBeforeTheSweep()
    {
        var ends = new List<LeaseEnd>();
        var lease = _leases.TryGrant([Range(0, 10)], TimeSpan.FromSeconds(1), null, (_, end) => ends.Add(end))!;
        Assert.Equal(TransferError.None, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out var used));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TransferError.LeaseExpired, _leases.Check(used!));
        Assert.Equal(TransferError.LeaseExpired, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out _));
        Assert.Equal(1, _leases.SweepExpired());
        Assert.Equal(0, _leases.SweepExpired());
        Assert.Empty(ends);
        _leases.EndUse(used!);
        Assert.Equal([LeaseEnd.Expired], ends);
    }

    [Fact]
    public async Task Close_AnOwnerIsBeingTold_WaitsForIt()
    {
        using var told = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var holder = new AgentIdentity("d", 1);
        Assert.NotNull(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(9), holder, (_, _) =>
        {
            told.Set();
            goOn.Wait();
        }));
        var ending = Task.Run(() => _leases.EndHeldBy(holder), TestContext.Current.CancellationToken);
        told.Wait(TestContext.Current.CancellationToken);

        var closing = _leases.CloseAsync();

        Assert.False(closing.IsCompleted);
        Assert.Null(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(9)));
        goOn.Set();
        await closing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(1, await ending);
    }

    [Fact]
    public void Close_ALeaseIsInUse_WaitsForItsLastUser()
    {
        var ends = new List<LeaseEnd>();
        var lease = _leases.TryGrant([Range(0, 10)], TimeSpan.FromSeconds(30), null, (_, end) => ends.Add(end))!;
        Assert.NotNull(_leases.TryGrant([Range(0, 10)], TimeSpan.FromSeconds(30)));
        Assert.Equal(TransferError.None, _leases.TryUse(lease.Id, 7, LeaseRights.Read, out var used));

        var closing = _leases.CloseAsync();

        Assert.Equal(TransferError.LeaseRevoked, _leases.Check(used!));
        Assert.False(closing.IsCompleted);
        _leases.EndUse(used!);
        Assert.True(closing.IsCompletedSuccessfully);
        Assert.Equal([LeaseEnd.Closed], ends);
    }

    [Fact]
    public void TryUse_AnotherGeneration_IsRefusedBeforeTheLeaseIsLookedAt() =>
        Assert.Equal(TransferError.GenerationMismatch, _leases.TryUse(1, 8, LeaseRights.Read, out _));

    [Theory]
    [InlineData(99, 1, false)]
    [InlineData(100, 50, true)]
    [InlineData(149, 1, true)]
    [InlineData(149, 2, false)]
    [InlineData(150, 1, false)]
    [InlineData(200, 10, true)]
    [InlineData(210, 10, true)]
    [InlineData(205, 10, false)]
    [InlineData(100, 0, false)]
    [InlineData(100, long.MaxValue, false)]
    [InlineData(long.MaxValue, 1, false)]
    public void Covers_OnlyWhatOneRangeHolds(long offset, long bytes, bool covered)
    {
        var lease = _leases.TryGrant([Range(210, 10), Range(200, 10), Range(100, 50)], TimeSpan.FromSeconds(1))!;
        Assert.Equal(covered, lease.Covers(_region.Id, offset, bytes));
        Assert.False(lease.Covers(_region.Id + 1, offset, bytes));
    }

    [Fact]
    public void EndHeldBy_EndsThatReadersLeasesOnly()
    {
        var ends = new List<LeaseEnd>();
        var gone = new AgentIdentity("d", 1);
        Assert.NotNull(_leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(9), gone, (_, end) => ends.Add(end)));
        var other = _leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(9), gone with { Generation = 2 })!;
        var nobodys = _leases.TryGrant([Range(0, 1)], TimeSpan.FromSeconds(9))!;
        Assert.Equal(1, _leases.EndHeldBy(gone));
        Assert.Equal([LeaseEnd.HolderGone], ends);
        Assert.NotNull(_leases.TryGetLeft(other.Id));
        Assert.NotNull(_leases.TryGetLeft(nobodys.Id));
    }
}
