using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers;

public sealed class GuardedTierTests : IAsyncDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly TierGuardOptions Options = new() { Deadline = TimeSpan.FromSeconds(1), FailuresToOpen = 2, OpenFor = TimeSpan.FromSeconds(10), AbandonedMax = 2 };
    private readonly FakeTimeProvider _time = new();
    private readonly FaultyTier _tier = new();

    public ValueTask DisposeAsync() => _tier.DisposeAsync();

    private GuardedTier Guard() => new(_tier, Options, _time, NullLogger<GuardedTier>.Instance);

    private async Task PutAsync()
    {
        var (header, record) = TestRecords.Record(1, Layout);
        await _tier.PutAsync(header, record, CancellationToken.None);
    }

    [Fact]
    public async Task FindAsync_TierThrows_IsAMissAndAfterTwoTheTierIsLeftAlone()
    {
        await PutAsync();
        await using var guard = Guard();
        _tier.Fault = new IOException("no route");
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.Empty(await guard.FindAsync(TestRecords.Key(1), CancellationToken.None));
        }
        Assert.True(guard.IsReadingOff);
        Assert.Equal(2, guard.Failures);

        _tier.Fault = null;
        Assert.Empty(await guard.FindAsync(TestRecords.Key(1), CancellationToken.None));
        _time.Advance(Options.OpenFor);
        Assert.Single(await guard.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.False(guard.IsReadingOff);
    }

    [Fact]
    public async Task FindAsync_TierHangs_IsAMissAtTheDeadline()
    {
        await using var guard = Guard();
        _tier.Hang = new TaskCompletionSource();
        var find = guard.FindAsync(TestRecords.Key(1), CancellationToken.None);
        Assert.False(find.IsCompleted);
        _time.Advance(Options.Deadline);

        Assert.Empty(await find);
        Assert.Equal(1, guard.Timeouts);
        _tier.Hang.SetResult();
    }

    [Theory]
    [InlineData(false, TierPutOutcome.Unavailable)]
    [InlineData(true, TierPutOutcome.Stored)]
    public async Task PutAsync_LongerThanTheDeadline_IsLeftToTheTierThatWatchesItsPutsAndToNoOther(bool watches, TierPutOutcome outcome)
    {
        await using var tier = new FaultyTier { Capabilities = _tier.Capabilities | (watches ? TierCapabilities.EndsStalledPuts : 0), HangInPut = new TaskCompletionSource() };
        await using var guard = new GuardedTier(tier, Options, _time, NullLogger<GuardedTier>.Instance);
        var (header, record) = TestRecords.Record(1, Layout);
        var put = guard.PutAsync(header, record, CancellationToken.None);
        await Eventually.HoldsAsync(() => tier.PutsBegun == 1);
        _time.Advance(Options.Deadline * 100);
        if (!watches)
        {
            Assert.Equal(outcome, await put);
        }
        Assert.Equal(!watches, put.IsCompleted);
        tier.HangInPut.SetResult();
        Assert.Equal(outcome, await put);
        Assert.Equal(watches ? 0 : 1, guard.Timeouts);
    }

    [Fact]
    public async Task ReadAsync_AbandonedInTheMiddle_KeepsTheSlotUntilTheLateWriteIsOver()
    {
        await PutAsync();
        using var store = TestRecords.Store(KvRecord.HeaderBytes + Layout.PayloadBytes);
        await using var guard = Guard();
        var found = Assert.Single(await guard.FindAsync(TestRecords.Key(1), CancellationToken.None));
        var hang = _tier.HangInRead = new TaskCompletionSource();
        var reservation = store.TryReserve(found.RecordBytes)!;
        var read = guard.ReadAsync(found, reservation.Record, CancellationToken.None);
        _time.Advance(Options.Deadline);

        Assert.Equal(TierReadOutcome.Unavailable, (await read).Outcome);
        reservation.Dispose();
        Assert.Equal(1, store.Arena.SlotCount);
        hang.SetResult();
        await Eventually.HoldsAsync(() => store.Arena.SlotCount == 0);
    }

    [Fact]
    public async Task FindAsync_AsManyAbandonedAsAllowed_BeginsNothingMore()
    {
        await using var guard = new GuardedTier(_tier, Options with { FailuresToOpen = 100 }, _time, NullLogger<GuardedTier>.Instance);
        var hang = _tier.Hang = new TaskCompletionSource();
        for (var attempt = 0; attempt < Options.AbandonedMax; attempt++)
        {
            var find = guard.FindAsync(TestRecords.Key(1), CancellationToken.None);
            _time.Advance(Options.Deadline);
            await find;
        }
        var refused = guard.FindAsync(TestRecords.Key(1), CancellationToken.None);
        Assert.True(refused.IsCompletedSuccessfully);
        hang.SetResult();
    }

    [Fact]
    public async Task ReadAsync_CallerCancels_ThrowsAndCountsAsNoFailure()
    {
        await using var guard = Guard();
        var hang = _tier.Hang = new TaskCompletionSource();
        using var cancel = new CancellationTokenSource();
        var find = guard.FindAsync(TestRecords.Key(1), cancel.Token);
        cancel.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find);
        Assert.Equal(0, guard.Failures);
        hang.SetResult();
    }
}
