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

public sealed class RecordCacheChainTests : IAsyncDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;
    private readonly FaultyTier _near = new("near");
    private readonly FaultyTier _far = new("far");
    private readonly FakeTimeProvider _time = new();
    private readonly RecordCache _cache;

    public RecordCacheChainTests() => _cache = Create(new RecordCacheOptions());

    public async ValueTask DisposeAsync()
    {
        await _cache.FlushAsync(CancellationToken.None);
        _cache.Memory.Pins.Dispose();
        _cache.Memory.CheckIntegrity();
        Assert.Equal((0, 0L), (_cache.Memory.Snapshot().Leases, _cache.Memory.Snapshot().HeldBytes));
        await _cache.DisposeAsync();
        Assert.Equal(0, _cache.Memory.Arena.BaseAddress);
    }

    private RecordCache Create(RecordCacheOptions options) =>
        new(TestRecords.Store(32 * RecordBytes), [_near, _far], options, _time, NullLoggerFactory.Instance);

    private static KvKey[] Keys(int count) => [.. Enumerable.Range(1, count).Select(number => TestRecords.Key(number))];

    private ValueTask<ChainLookup> LookUpAsync(int count) => _cache.LookUpAsync(Keys(count), _ => TestRecords.Whole(), CancellationToken.None);

    private void Put(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            _cache.Memory.Put(number, Layout)!.Dispose();
        }
    }

    private static async Task FillAsync(FaultyTier tier, params int[] numbers)
    {
        foreach (var number in numbers)
        {
            var (header, record) = TestRecords.Record(number, Layout);
            await tier.PutAsync(header, record, CancellationToken.None);
        }
    }

    [Fact]
    public async Task LookUpAsync_ChunksOverMemoryAndTwoTiers_AreOnePrefixAskedForInOneCallATier()
    {
        Put(1, 4);
        await FillAsync(_near, 2, 5);
        await FillAsync(_far, 3, 6);
        using var found = await LookUpAsync(7);

        Assert.Equal((6, 2), (found.Count, found.InMemoryCount));
        Assert.Equal(["", "near", "far", "", "near", "far"], Enumerable.Range(0, 6).Select(index => found.TierOf(index)?.Name ?? ""));
        Assert.Equal((1, 1), (_near.BatchedFinds, _far.BatchedFinds));
    }

    [Fact]
    public async Task LookUpAsync_GapThatNobodyFills_EndsThePrefixAndLeasesNothingBehindIt()
    {
        Put(1, 2, 4, 5);
        using var found = await LookUpAsync(5);
        Assert.Equal((2, 2), (found.Count, _cache.Memory.Snapshot().Leases));
    }

    [Fact]
    public async Task LookUpAsync_AllInMemory_EndsAtOnceAndAsksNoTier()
    {
        Put(1, 2, 3);
        var looking = LookUpAsync(3);
        Assert.True(looking.IsCompletedSuccessfully);
        using var found = await looking;
        Assert.Equal((3, 0, LoadReason.NothingToLoad), (found.Count, _near.BatchedFinds, found.Decision.Reason));
    }

    [Fact]
    public async Task LoadAsync_WhatWasFound_GivesTheRightBytesInOrderAndPromotesToTheTierAbove()
    {
        Put(1);
        await FillAsync(_far, 2, 3);
        var hits = await _cache.LoadAsync(await LookUpAsync(4), all: false, CancellationToken.None);

        Assert.Equal(["", "far", "far"], hits.Select(hit => hit.Tier?.Name ?? ""));
        for (var index = 0; index < 3; index++)
        {
            Assert.Equal(TestRecords.Payload(Layout, index + 1), hits[index].Chunk.Shards[0].Payload.ToArray());
            hits[index].Dispose();
        }
        await _cache.FlushAsync(CancellationToken.None);
        Assert.Equal((2, 2), (_near.Count, _far.Count));
    }

    [Fact]
    public async Task LoadAsync_OneRecordGoneMeanwhile_GivesTheChunksBeforeIt()
    {
        await FillAsync(_near, 1, 2, 3);
        var lookup = await LookUpAsync(3);
        await _near.DeleteAsync(TestRecords.Key(2), CancellationToken.None);
        var hits = await _cache.LoadAsync(lookup, all: true, CancellationToken.None);

        Assert.Equal(TestRecords.Key(1), Assert.Single(hits).Chunk.Key);
        hits[0].Dispose();
    }

    [Fact]
    public async Task LoadAsync_GoneFromOneTierButInTheNext_IsReadFromThere()
    {
        await FillAsync(_near, 1);
        await FillAsync(_far, 1);
        var lookup = await LookUpAsync(1);
        await _near.DeleteAsync(TestRecords.Key(1), CancellationToken.None);

        using var hit = Assert.Single(await _cache.LoadAsync(lookup, all: true, CancellationToken.None));
        Assert.Equal("far", hit.Tier!.Name);
    }

    [Fact]
    public async Task LoadAsync_SameChainTwiceAtOnce_ReadsEachRecordOnce()
    {
        await FillAsync(_near, 1, 2, 3);
        var loads = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => await _cache.LoadAsync(await LookUpAsync(3), all: true, CancellationToken.None)));

        Assert.All(loads, hits => Assert.Equal(3, hits.Count));
        Assert.Equal(3, _near.Counts.Reads);
        foreach (var hit in loads.SelectMany(hits => hits))
        {
            hit.Dispose();
        }
    }

    [Fact]
    public async Task MoveAsync_FromMemoryToATierAndBack_IsOnlyWhereItWasMovedTo()
    {
        Put(1);
        Assert.Equal(MoveOutcome.Moved, await _cache.MoveAsync(TestRecords.Key(1), RecordCache.MemoryName, "far", CancellationToken.None));
        Assert.Equal((false, 1), (_cache.Memory.Contains(TestRecords.Key(1)), _far.Count));
        Assert.Equal(MoveOutcome.Moved, await _cache.MoveAsync(TestRecords.Key(1), "far", "near", CancellationToken.None));
        Assert.Equal((1, 0), (_near.Count, _far.Count));
        Assert.Equal(MoveOutcome.Moved, await _cache.MoveAsync(TestRecords.Key(1), "near", RecordCache.MemoryName, CancellationToken.None));
        Assert.Equal((true, 0), (_cache.Memory.Contains(TestRecords.Key(1)), _near.Count));

        Assert.Equal(MoveOutcome.NotFound, await _cache.MoveAsync(TestRecords.Key(9), "far", "near", CancellationToken.None));
        Assert.Equal(MoveOutcome.NoSuchTier, await _cache.MoveAsync(TestRecords.Key(1), RecordCache.MemoryName, "tape", CancellationToken.None));
        Assert.Equal(MoveOutcome.NoSuchTier, await _cache.MoveAsync(TestRecords.Key(1), "near", "near", CancellationToken.None));
    }

    [Fact]
    public async Task MoveAsync_TargetFails_LeavesTheChunkWhereItWas()
    {
        Put(1);
        _far.Fault = new IOException("no");
        Assert.Equal(MoveOutcome.TargetUnavailable, await _cache.MoveAsync(TestRecords.Key(1), RecordCache.MemoryName, "far", CancellationToken.None));
        Assert.True(_cache.Memory.Contains(TestRecords.Key(1)));
    }

    [Fact]
    public async Task RemoveAsync_WhileTheRecordIsBeingWrittenBehind_DoesNotComeBack()
    {
        using (var lease = _cache.Memory.Put(1, Layout)!)
        {
            _far.HangInPut = new TaskCompletionSource();
            _cache.StoreBehind(lease);
        }
        await Eventually.HoldsAsync(() => _near.Count == 1 && _far.PutsBegun == 1);
        await _cache.RemoveAsync(TestRecords.Key(1), CancellationToken.None);
        _far.HangInPut.SetResult();
        await _cache.FlushAsync(CancellationToken.None);

        Assert.Equal((0, 0, false), (_near.Count, _far.Count, _cache.Memory.Contains(TestRecords.Key(1))));
        Assert.Equal(1, _cache.SnapshotTiers()[1].WriteWithdrawn);
    }

    [Fact]
    public async Task ClearAsync_OfASalt_TakesItFromMemoryAndTiers()
    {
        using (var lease = _cache.Memory.Put(1, Layout, salt: "a")!)
        {
            _cache.StoreBehind(lease);
        }
        Put(2);
        await _cache.FlushAsync(CancellationToken.None);
        await FillAsync(_near, 2);

        Assert.Equal(3, await _cache.ClearAsync("a", keepPinned: false, CancellationToken.None));
        Assert.Equal((1, 1, 0), (_cache.Memory.Snapshot().Chunks, _near.Count, _far.Count));
    }
}
