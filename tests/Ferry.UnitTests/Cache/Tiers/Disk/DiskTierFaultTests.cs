using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Disk;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

public sealed class DiskTierFaultTests
{
    private const int NoSpace = 28;
    private const int ReadOnly = 30;
    private const int Broken = 5;

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));
    private readonly LinesLogger _log = new();
    private readonly FaultyDisk _disk = new();

    private Task<DiskTier> OpenAsync(DiskSyncPolicy sync = DiskSyncPolicy.Every) => DiskTierRun.OpenAsync(_disk, DiskTierRun.Options(sync: sync), _time, _log);

    [Theory]
    [InlineData("extend", NoSpace, TierPutOutcome.Full, "full")]
    [InlineData("write", NoSpace, TierPutOutcome.Full, "capacityBytes")]
    [InlineData("create", ReadOnly, TierPutOutcome.ReadOnly, "remount")]
    [InlineData("writeSmall", ReadOnly, TierPutOutcome.ReadOnly, "dmesg")]
    [InlineData("write", Broken, TierPutOutcome.Unavailable, "smartctl")]
    [InlineData("sync", Broken, TierPutOutcome.Unavailable, "smartctl")]
    public async Task PutAsync_CallFails_WarnsOnceWithTheWayOutGoesOnReadingAndComesBack(string call, int errno, TierPutOutcome expected, string wayOut)
    {
        await using var tier = await OpenAsync();
        for (var number = 0; number < 8; number++)
        {
            await tier.PutAsync(number);
        }
        _disk.Fault = (asked, _) => asked == call ? new IOException($"errno {errno}", errno) : null;

        for (var number = 10; number < 20; number++)
        {
            Assert.Equal(expected, await tier.PutAsync(number)); // The eighth filled its segment, so this one needs a new one.
        }
        Assert.Contains(wayOut, Assert.Single(_log.Lines, line => line.Contains("off for writing", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.NotNull(await tier.TryReadAsync(3));
        Assert.NotNull(tier.Snapshot().WritesOff);
        tier.CheckIntegrity();

        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(expected, await tier.PutAsync(20)); // The trial fails: no second warning.
        Assert.Single(_log.Lines, line => line.Contains("off for writing", StringComparison.Ordinal));
        _disk.Fault = null;
        Assert.Equal(expected, await tier.PutAsync(21));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(22));
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(23));
        Assert.Single(_log.Lines, line => line.Contains("on again", StringComparison.Ordinal));
        Assert.Null(tier.Snapshot().WritesOff);

        _disk.Restart(PowerLoss.LosesAll, 1);
        await using var again = await OpenAsync();
        foreach (var number in (int[])[0, 3, 6, 22, 23])
        {
            Assert.NotNull(await again.TryReadAsync(number));
        }
        Assert.Null(await again.TryReadAsync(10));
    }

    [Fact]
    public async Task PutAsync_SyncFailsAfterOthersSucceeded_TrustsNothingOfTheSegmentThatWasNotProvedBefore()
    {
        await using (var tier = await OpenAsync(DiskSyncPolicy.Interval))
        {
            await tier.PutAsync(1);
            await tier.TidyAsync(CancellationToken.None);
            await tier.PutAsync(2);
            _disk.Fault = (asked, _) => asked == "sync" ? new IOException("EIO", Broken) : null;
            await Assert.ThrowsAsync<IOException>(() => tier.TidyAsync(CancellationToken.None));
            _disk.Fault = null; // The kernel calls the next sync a success, whatever it has dropped.
            await tier.PutAsync(3);
            await tier.TidyAsync(CancellationToken.None);
        }
        _disk.Tamper(_disk.Names[0], bytes => bytes.AsSpan(8192 + 12_288 + 1024 + 100, 64).Clear()); // What it dropped: the second record's data.
        _disk.Kill();
        await using var again = await OpenAsync();
        Assert.NotNull(await again.TryReadAsync(1));
        Assert.Null(await again.TryReadAsync(2));
        Assert.NotNull(await again.TryReadAsync(3));
        Assert.Equal(0, again.Counts.Damaged);
    }

    [Fact]
    public async Task ReadAsync_DeviceFails_ThrowsForTheGuardAndTakesANewCopy()
    {
        await using var tier = await OpenAsync();
        await tier.PutAsync(1);
        var record = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        _disk.Fault = (asked, _) => asked == "read" ? new IOException("EIO", Broken) : null;
        await Assert.ThrowsAsync<IOException>(() => tier.ReadAsync(record, new byte[record.RecordBytes], CancellationToken.None));
        _disk.Fault = null;
        Assert.Null(await tier.TryReadAsync(1));
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(1));
        Assert.NotNull(await tier.TryReadAsync(1));
    }

    [Fact]
    public async Task DeleteAsync_CannotBeMadeDurable_Throws()
    {
        await using var tier = await OpenAsync();
        await tier.PutAsync(1);
        _disk.Fault = (asked, _) => asked == "sync" ? new IOException("EIO", Broken) : null;
        await Assert.ThrowsAsync<IOException>(() => tier.DeleteAsync(1));
        Assert.Null(await tier.TryReadAsync(1));
        _disk.Fault = null;
    }

    [Fact]
    public async Task OpenAsync_ReadOnlyFileSystem_ServesWhatIsThere()
    {
        await using (var tier = await OpenAsync())
        {
            await tier.PutAsync(1);
        }
        string[] changes = ["create", "rename", "delete", "extend", "truncate", "write", "writeSmall", "punch", "sync", "syncDirectory"];
        _disk.Fault = (asked, _) => changes.Contains(asked) ? new IOException("EROFS", ReadOnly) : null;
        await using var again = await OpenAsync();
        Assert.NotNull(await again.TryReadAsync(1));
        Assert.Equal(TierPutOutcome.ReadOnly, await again.PutAsync(2));
        _disk.Fault = null;
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(TierPutOutcome.Stored, await again.PutAsync(2));
    }

    [Fact]
    public async Task TidyAsync_RecordsEvictedInEverySegment_GivesTheirPagesBackAndMovesSparseSegmentsTogether()
    {
        await using var tier = await OpenAsync();
        for (var number = 0; number < 72; number++)
        {
            await tier.PutAsync(number);
        }
        for (var number = 0; number < 72; number++)
        {
            if (number % 4 != 0)
            {
                await tier.DeleteAsync(number);
            }
        }
        Assert.Equal(18, tier.Snapshot().Segments);
        await tier.TidyAllAsync();
        Assert.InRange(tier.Snapshot().Segments, 1, 7);
        Assert.True(tier.Snapshot().MovedBytes > 0);
        Assert.True(_disk.AllocatedBytes <= 500_000, $"{_disk.AllocatedBytes}");
        for (var number = 0; number < 72; number += 4)
        {
            Assert.NotNull(await tier.TryReadAsync(number));
        }
        tier.CheckIntegrity();
    }

    [Fact]
    public async Task TidyAsync_ARecordIsDamagedUnderCompaction_IsDroppedAndNotCarriedOn()
    {
        await using var tier = await OpenAsync();
        for (var number = 0; number < 9; number++)
        {
            await tier.PutAsync(number); // The last one begins a third segment.
        }
        for (var number = 0; number < 9; number++)
        {
            if (number % 4 != 0)
            {
                await tier.DeleteAsync(number);
            }
        }
        _disk.Tamper(_disk.Names[0], bytes => bytes[8192 + 3000] ^= 1);
        await tier.TidyAllAsync();
        Assert.Null(await tier.TryReadAsync(0));
        Assert.NotNull(await tier.TryReadAsync(4));
        Assert.Equal(1, tier.Counts.Damaged);
    }

    [Theory]
    [InlineData(DiskSyncPolicy.Every, 5)] // The fifth begins another segment: the first is being finished.
    [InlineData(DiskSyncPolicy.Interval, 1)] // It is synced because the interval is over.
    public async Task TidyAsync_ASegmentIsEvictedAndDeletedWhileItIsSynced_EndsAllTheSame(DiskSyncPolicy sync, int records)
    {
        await using var tier = await DiskTierRun.OpenAsync(_disk, DiskTierRun.Options(1 << 20, sync) with { WriteDepth = 2 }, _time, _log);
        for (var number = 0; number < records; number++)
        {
            await tier.PutAsync(number);
        }
        var name = _disk.Names.First(file => file.EndsWith(".seg", StringComparison.Ordinal));
        using var held = new HeldCall(_disk, "sync", name);
        var tidying = Task.Run(() => tier.TidyAsync(CancellationToken.None));
        await held.ComesAsync();

        for (var number = records; _disk.Names.Contains(name); number++)
        {
            Assert.True(number < 200, "Nothing evicts the segment.");
            await tier.PutAsync(number);
        }
        held.GoOn();

        await tidying;
        tier.CheckIntegrity();
    }

    [Fact]
    public async Task TidyAsync_ASegmentIsMovedAndDeletedWhileItsPagesAreGivenBack_EndsAllTheSame()
    {
        await using var tier = await DiskTierRun.OpenAsync(_disk, DiskTierRun.Options() with { WriteDepth = 4 }, _time, _log);
        for (var number = 0; number < 43; number++)
        {
            await tier.PutAsync(number, KvLayout.Opaque(1000)); // One page each: fourteen to a segment, the last begins a fourth.
        }
        int[] kept = [3, 5, 20, 21, 22, 30, 31, 32, 42];
        foreach (var number in Enumerable.Range(0, 42).Except(kept))
        {
            await tier.DeleteAsync(number);
        }
        var second = _disk.Names.Where(file => file.EndsWith(".seg", StringComparison.Ordinal)).ElementAt(1);
        using var copying = new HeldCall(_disk, "write");
        var moveFirst = Task.Run(() => tier.TidyAsync(CancellationToken.None));
        await copying.ComesAsync();
        var moveSecond = tier.TidyAsync(CancellationToken.None); // Comes back when it waits for its turn to move.
        await tier.DeleteAsync(22);
        using var punching = new HeldCall(_disk, "punch", second);
        var givingBack = Task.Run(() => tier.TidyAsync(CancellationToken.None));
        await punching.ComesAsync();

        copying.GoOn();
        await moveFirst;
        await moveSecond;
        Assert.DoesNotContain(second, _disk.Names);
        punching.GoOn();

        await givingBack;
        foreach (var number in kept)
        {
            Assert.Equal(number != 22, await tier.TryReadAsync(number) is not null);
        }
        tier.CheckIntegrity();
    }

    private sealed class LinesLogger : ILogger
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lock)
                {
                    return [.. _lines];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock)
            {
                _lines.Add(formatter(state, exception));
            }
        }
    }
}
