using Ferry.Cache;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache;

public sealed class RecordCacheTests : IAsyncDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;
    private readonly FaultyTier _near = new("near");
    private readonly FaultyTier _far = new("far");
    private readonly FakeTimeProvider _time = new();
    private readonly RecordCache _cache;

    public RecordCacheTests() => _cache = new RecordCache(
        TestRecords.Store(16 * RecordBytes), [_near, _far], new RecordCacheOptions(), _time, NullLoggerFactory.Instance);

    public async ValueTask DisposeAsync()
    {
        await _cache.FlushAsync(CancellationToken.None); // What came up from the far tier is on its way to the near one.
        _cache.Memory.CheckIntegrity();
        Assert.Equal((0, 0L), (_cache.Memory.Snapshot().Leases, _cache.Memory.Snapshot().HeldBytes));
        await _cache.DisposeAsync();
    }

    private ValueTask<CacheHit?> GetAsync(int number) => _cache.TryGetAsync(TestRecords.Key(number), TestRecords.Whole(), CancellationToken.None);

    private static async Task FillAsync(FaultyTier tier, int number, KvLayout layout)
    {
        var (header, record) = TestRecords.Record(number, layout);
        await tier.PutAsync(header, record, CancellationToken.None);
    }

    [Fact]
    public async Task TryGetAsync_FourShardsInTheFarTier_AreBroughtUpOnce()
    {
        for (var rank = 0; rank < 4; rank++)
        {
            await FillAsync(_far, 1, Layout.ForRank(rank, 4));
        }
        using (var hit = await GetAsync(1))
        {
            Assert.Equal(("far", 4), (hit!.Tier!.Name, hit.Chunk.Shards.Count));
            Assert.All(hit.Chunk.Shards, shard => Assert.Equal(KvRecordError.None, KvRecord.Verify(shard.Header, shard.Payload.Span)));
        }
        using var again = await GetAsync(1);
        Assert.Null(again!.Tier);
        Assert.Equal(1, _far.Finds);
    }

    [Fact]
    public async Task LoadAsync_WhileAnotherAsksANearerTier_NeitherWaitsForItNorTakesItsMissForItsOwn()
    {
        await FillAsync(_far, 1, Layout);
        using var lookup = await _cache.LookUpAsync(new[] { TestRecords.Key(1) }, _ => TestRecords.Whole(), CancellationToken.None);
        _near.Hang = new TaskCompletionSource();
        var other = GetAsync(1).AsTask();

        using (var hit = Assert.Single(await _cache.LoadAsync(lookup, all: true, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30))))
        {
            Assert.Equal("far", hit.Tier!.Name);
        }
        _near.Hang.SetResult();
        using var late = await other;
        Assert.NotNull(late);
    }

    [Fact]
    public async Task TryGetAsync_OneShardIsGoneOrDamaged_IsAMissAndHoldsNothing()
    {
        for (var rank = 0; rank < 3; rank++)
        {
            await FillAsync(_near, 1, Layout.ForRank(rank, 4));
        }
        Assert.Null(await GetAsync(1));
        await FillAsync(_near, 1, Layout.ForRank(3, 4));
        _near.Damage(KvRecord.HeaderBytes + 5);
        Assert.Null(await GetAsync(1));
        Assert.Equal(1, _near.Counts.Damaged);
    }

    [Fact]
    public async Task TryGetAsync_NearTierFails_TheFarOneServes()
    {
        await FillAsync(_far, 1, Layout);
        _near.Fault = new IOException("gone");
        using var hit = await GetAsync(1);
        Assert.Equal("far", hit!.Tier!.Name);
    }

    [Fact]
    public async Task TryGetAsync_ManyAtOnce_ReadTheTierOnce()
    {
        await FillAsync(_near, 1, Layout);
        var gate = _near.HangInRead = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 10).Select(_ => GetAsync(1).AsTask()).ToArray();
        gate.SetResult();
        foreach (var hit in await Task.WhenAll(callers))
        {
            Assert.Equal(TestRecords.Payload(Layout, 1), hit!.Chunk.Shards[0].Payload.ToArray());
            hit.Dispose();
        }
        Assert.Equal(1, _near.Counts.Reads);
    }

    [Fact]
    public async Task TryGetAsync_NoRoomInMemory_IsAMiss()
    {
        await FillAsync(_near, 1, Layout);
        var held = Enumerable.Range(100, 16).Select(number => _cache.Memory.Put(number, Layout)!).ToArray();
        Assert.Null(await GetAsync(1));
        Array.ForEach(held, lease => lease.Dispose());
    }

    [Fact]
    public async Task TryGetAsync_RecordUnderAnotherKeyThanItsHeader_IsAMiss()
    {
        var (header, _) = TestRecords.Record(1, Layout);
        var (_, foreign) = TestRecords.Record(2, Layout);
        await _near.PutAsync(header, foreign, CancellationToken.None);

        Assert.Null(await GetAsync(1));
        Assert.False(_cache.Memory.Contains(TestRecords.Key(2)));
    }

    [Fact]
    public async Task StoreBehind_ThenFlush_PutsTheRecordIntoEveryTier()
    {
        using (var lease = _cache.Memory.Put(1, Layout)!)
        {
            _cache.StoreBehind(lease);
        }
        await _cache.FlushAsync(CancellationToken.None);

        Assert.Equal((1, 1), (_near.Count, _far.Count));
        Assert.Equal([1L, 1L], _cache.SnapshotTiers().Select(tier => tier.Written));
    }

    [Fact]
    public async Task TryGetAsync_CallerCancels_LeavesNoLease()
    {
        await FillAsync(_near, 1, Layout);
        var gate = _near.HangInRead = new TaskCompletionSource();
        using var cancel = new CancellationTokenSource();
        var get = _cache.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), cancel.Token).AsTask();
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        gate.SetResult();
        await Eventually.HoldsAsync(() => _cache.Memory.Arena.SlotCount == 0);
    }
}
