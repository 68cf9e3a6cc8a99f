using Ferry.Cache;
using Ferry.Cache.Chains;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Chains;

public sealed class PrefetcherTests : IAsyncDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;
    private readonly FaultyTier _tier = new();
    private readonly FakeTimeProvider _time = new();
    private readonly List<RecordCache> _caches = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var cache in _caches)
        {
            await cache.FlushAsync(CancellationToken.None);
            cache.Memory.CheckIntegrity();
            Assert.Equal((0, 0L), (cache.Memory.Snapshot().Leases, cache.Memory.Snapshot().HeldBytes));
            await cache.DisposeAsync();
        }
    }

    private RecordCache Create(long recordsAhead, int waitingMax = 100, int recordsInMemory = 64)
    {
        var options = new RecordCacheOptions
        {
            PrefetchBytesAheadMax = recordsAhead * RecordBytes,
            PrefetchesAtOnce = 1,
            PrefetchesWaitingMax = waitingMax,
            Guard = new TierGuardOptions { Deadline = TimeSpan.FromDays(20) }, // The clock moves while reads are under way.
        };
        _caches.Add(new RecordCache(TestRecords.Store(recordsInMemory * RecordBytes), [_tier], options, _time, NullLoggerFactory.Instance));
        return _caches[^1];
    }

    private async Task FillAsync(int count)
    {
        for (var number = 1; number <= count; number++)
        {
            var (header, record) = TestRecords.Record(number, Layout);
            await _tier.PutAsync(header, record, CancellationToken.None);
        }
    }

    private static KvKey Key(int number) => TestRecords.Key(number);

    private static void Want(RecordCache cache, int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            cache.Prefetcher.Want(Key(number), TestRecords.Whole());
        }
    }

    private static Task LoadedAsync(RecordCache cache, long count) => Eventually.HoldsAsync(() => cache.Prefetcher.Counts.Loaded == count);

    [Fact]
    public async Task Want_AChain_IsInMemoryInItsOrderAndCountsNeitherHitNorMiss()
    {
        await FillAsync(3);
        var cache = Create(recordsAhead: 8);
        Want(cache, 1, 3);
        await LoadedAsync(cache, 3);

        var stats = cache.Memory.Snapshot();
        Assert.Equal((3, 0, 0L, 0L), (stats.Chunks, stats.Leases, stats.Hits, stats.Misses));
        Assert.Equal(new PrefetchCounts(3, 0, 0, 0, 3 * RecordBytes), cache.Prefetcher.Counts);
        cache.Prefetcher.Took(Key(2), TestRecords.Whole());
        cache.Prefetcher.Took(Key(2), TestRecords.Whole());
        cache.Prefetcher.Took(Key(9), TestRecords.Whole());
        Assert.Equal(new PrefetchCounts(3, 1, 0, 0, 2 * RecordBytes), cache.Prefetcher.Counts);
    }

    /// <summary>A chain longer than what may lie ahead: its beginning stays, and the rest comes as the client gets on.</summary>
    [Fact]
    public async Task Want_MoreThanMayLieAhead_GoesOnAsChunksAreTaken()
    {
        await FillAsync(6);
        var cache = Create(recordsAhead: 2);
        Want(cache, 1, 6);
        await LoadedAsync(cache, 2);
        for (var number = 1; number <= 4; number++)
        {
            Assert.True(cache.Memory.Contains(Key(number)));
            cache.Prefetcher.Took(Key(number), TestRecords.Whole());
            await LoadedAsync(cache, number + 2);
        }
        Assert.Equal(new PrefetchCounts(6, 4, 0, 0, 2 * RecordBytes), cache.Prefetcher.Counts);
    }

    [Fact]
    public async Task Want_NobodyAsksForWhatLiesAhead_MakesRoomAfterItsTime()
    {
        await FillAsync(4);
        var cache = Create(recordsAhead: 2);
        Want(cache, 1, 4);
        await LoadedAsync(cache, 2);
        _time.Advance(TimeSpan.FromSeconds(30));
        await Eventually.HoldsAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1)); // The worker may not have begun to wait yet: then the next step wakes it.
            return cache.Prefetcher.Counts.Loaded == 4;
        });
        Assert.True(cache.Memory.Contains(Key(1)));
        Assert.InRange(cache.Prefetcher.Counts.Unused, 2, 4);
    }

    [Fact]
    public async Task Want_WhatMemoryHasOrNobodyHas_LoadsNothing()
    {
        await FillAsync(2);
        var cache = Create(recordsAhead: 8);
        cache.Memory.Put(1, Layout)!.Dispose();
        Want(cache, 1, 1);
        Want(cache, 7, 7);
        Want(cache, 2, 2);
        Want(cache, 2, 2);
        await LoadedAsync(cache, 1);
        await Eventually.HoldsAsync(() => cache.Prefetcher.Counts.AheadBytes == RecordBytes);
        Assert.Equal(1, _tier.Counts.Reads);
    }

    [Fact]
    public async Task Want_TooManyWaiting_AreDroppedAndCounted()
    {
        await FillAsync(1);
        _tier.Hang = new TaskCompletionSource();
        var cache = Create(recordsAhead: 8, waitingMax: 2);
        Want(cache, 1, 10);
        await Eventually.HoldsAsync(() => cache.Prefetcher.Counts.Dropped >= 7); // One may be with the worker, two wait.
        _tier.Hang.SetResult();
        _tier.Hang = null;
        await LoadedAsync(cache, 1);
    }

    /// <summary>Who asks for a chunk that is on its way waits for that flight, and the chunk does not count as waiting afterwards.</summary>
    [Fact]
    public async Task TryGet_WhileTheChunkIsOnItsWay_ReadsItOnce()
    {
        await FillAsync(1);
        var hang = _tier.HangInRead = new TaskCompletionSource();
        var cache = Create(recordsAhead: 8);
        Want(cache, 1, 1);
        await Eventually.HoldsAsync(() => _tier.Finds == 1);
        cache.Prefetcher.Took(Key(1), TestRecords.Whole());
        var getting = cache.TryGetAsync(Key(1), TestRecords.Whole(), CancellationToken.None);
        hang.SetResult();
        using (var hit = await getting)
        {
            Assert.NotNull(hit);
        }
        await LoadedAsync(cache, 1);
        Assert.Equal((1L, 0L), (cache.Prefetcher.Counts.Used, cache.Prefetcher.Counts.AheadBytes));
        Assert.Equal(1, _tier.Counts.Reads);
    }

    [Fact]
    public async Task Dispose_WhileAReadHangs_CallsItOff()
    {
        await FillAsync(1);
        _tier.Hang = new TaskCompletionSource();
        var cache = Create(recordsAhead: 8);
        Want(cache, 1, 1);
        await cache.Prefetcher.DisposeAsync();
        cache.Prefetcher.Want(Key(1), TestRecords.Whole());
        Assert.Equal(0, cache.Prefetcher.Counts.Loaded);
        _tier.Hang.SetResult();
        _tier.Hang = null;
    }

    [Fact]
    public async Task Want_Off_ReadsNothing()
    {
        await FillAsync(1);
        var cache = Create(recordsAhead: 0);
        Want(cache, 1, 1);
        Assert.Equal((0L, default), (cache.Prefetcher.BytesAheadMax, cache.Prefetcher.Counts));
        Assert.Equal(0, _tier.Finds);
    }
}
