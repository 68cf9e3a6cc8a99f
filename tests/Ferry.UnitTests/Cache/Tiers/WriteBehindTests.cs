using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers;

public sealed class WriteBehindTests : IAsyncDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;
    private readonly FakeTimeProvider _time = new();
    private readonly FaultyTier _tier = new();
    private readonly RecordStore _store = TestRecords.Store(64 * RecordBytes);
    private readonly GuardedTier _guard;
    private readonly WriteBehind _behind;

    public WriteBehindTests()
    {
        _guard = new GuardedTier(_tier, new TierGuardOptions { FailuresToOpen = 1000 }, _time, NullLogger<GuardedTier>.Instance);
        _behind = new WriteBehind(_guard, new WriteBehindOptions { QueueBytes = 8 * RecordBytes }, _time, NullLogger<WriteBehind>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _behind.DisposeAsync();
        await _guard.DisposeAsync();
        Assert.Equal(0, _store.Snapshot().Leases);
        Assert.Equal(0, _behind.QueuedBytes);
        _store.Dispose();
    }

    private bool Enqueue(int number) => _behind.TryEnqueue(_store.Put(number, Layout)!);

    [Fact]
    public async Task FlushAsync_AfterSomePuts_EndsWhenAllAreInTheTier()
    {
        await _behind.FlushAsync(CancellationToken.None);
        for (var round = 0; round < 5; round++)
        {
            for (var number = 0; number < 8; number++)
            {
                Assert.True(Enqueue((round * 8) + number));
            }
            await _behind.FlushAsync(CancellationToken.None);
            Assert.Equal((round + 1) * 8, _tier.Count);
        }
        Assert.Equal((40L, 0L, 0L), (_behind.Written, _behind.Dropped, _behind.Failed));
    }

    [Fact]
    public async Task TryEnqueue_QueueFull_DropsAndCountsInsteadOfWaiting()
    {
        var hang = _tier.Hang = new TaskCompletionSource();
        for (var number = 0; number < 8; number++)
        {
            Assert.True(Enqueue(number));
        }
        Assert.False(Enqueue(8));
        Assert.Equal(1, _behind.Dropped);
        hang.SetResult();
        _tier.Hang = null;
        await _behind.FlushAsync(CancellationToken.None);
        Assert.True(Enqueue(9));
    }

    [Fact]
    public async Task FlushAsync_TierFails_EndsAndCountsTheFailures()
    {
        _tier.Fault = new IOException("disk on fire");
        Enqueue(1);
        Enqueue(2);
        await _behind.FlushAsync(CancellationToken.None);

        Assert.Equal((0L, 2L), (_behind.Written, _behind.Failed));
    }

    [Fact]
    public async Task DisposeAsync_TierHangsPastTheDeadline_DropsTheRestAndEnds()
    {
        var hang = _tier.Hang = new TaskCompletionSource();
        for (var number = 0; number < 5; number++)
        {
            Enqueue(number);
        }
        var closing = _behind.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(11));
        await closing;

        Assert.Equal(5, _behind.Failed);
        Assert.False(Enqueue(6));
        hang.SetResult();
    }

    [Fact]
    public async Task TryEnqueue_ValuesOfOneKeyOneAfterTheOther_LeavesTheLastInTheTier()
    {
        for (var round = 1; round <= 30; round++)
        {
            Assert.True(_behind.TryEnqueue(PutValue((byte)round), PutMode.Replace));
            if (round % 6 == 0)
            {
                await _behind.FlushAsync(CancellationToken.None); // The queue has room for eight.
                var found = Assert.Single(await _tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
                var bytes = new byte[found.RecordBytes];
                await _tier.ReadAsync(found, bytes, CancellationToken.None);
                Assert.Equal((100 + round, (byte)round), (bytes.Length - KvRecord.HeaderBytes, bytes[^1]));
            }
        }
    }

    [Fact]
    public async Task TryEnqueue_RecordRemovedWhileItWaits_IsWithdrawn()
    {
        var hang = _tier.Hang = new TaskCompletionSource();
        for (var number = 1; number <= 4; number++)
        {
            Enqueue(number); // Two writers: at least two wait.
        }
        for (var number = 1; number <= 4; number++)
        {
            _store.Remove(TestRecords.Key(number));
        }
        hang.SetResult();
        _tier.Hang = null;
        await _behind.FlushAsync(CancellationToken.None);

        Assert.Equal((0, 4L, 0L), (_tier.Count, _behind.Withdrawn, _behind.Failed));
    }

    private RecordLease PutValue(byte value)
    {
        var layout = KvLayout.Opaque(100 + value);
        using var room = _store.TryReserve(TestRecords.Key(1), layout, PutMode.Replace, out _)!;
        room.Payload.Span.Fill(value);
        return room.Commit(TestRecords.Unsealed(1, layout));
    }
}
