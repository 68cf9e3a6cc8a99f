using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreTests : IDisposable
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;

    // Room for exactly four whole records; their size is a multiple of the alignment.
    private readonly RecordStore _store = TestRecords.Store(4 * RecordBytes);

    public void Dispose()
    {
        _store.CheckIntegrity();
        Assert.Equal(0, _store.Snapshot().Leases);
        Assert.Equal(0, _store.Snapshot().HeldBytes);
        _store.Dispose();
        Assert.Equal(0, _store.Arena.SlotCount);
    }

    private void Put(int number, KvLayout? layout = null, string salt = "") => _store.Put(number, layout ?? Layout, salt: salt)!.Dispose();

    private bool IsHit(int number, ChunkQuery? query = null)
    {
        var hit = _store.TryLease(TestRecords.Key(number), query ?? TestRecords.Whole(), out var lease);
        lease?.Dispose();
        return hit;
    }

    [Fact]
    public void TryLease_AfterCommit_GivesTheBytesWithAHeaderThatProvesThem()
    {
        Put(1);

        Assert.True(_store.TryLease(TestRecords.Key(1), TestRecords.Whole(), out var chunk));
        using (chunk)
        {
            var lease = Assert.Single(chunk.Shards);
            Assert.True(KvRecord.TryRead(lease.Record.Span, out var header, out _));
            Assert.Equal(lease.Header, header);
            Assert.Equal(TestRecords.Payload(Layout, 1), lease.Payload.ToArray());
        }
    }

    [Fact]
    public void TryLease_BeforeCommitOrAfterGivingBack_IsAMiss()
    {
        var reservation = _store.TryReserve(RecordBytes)!;
        Assert.False(IsHit(1));
        reservation.Dispose();
        Assert.False(IsHit(1));
        Assert.Equal(0, _store.Snapshot().UsedBytes);
    }

    [Fact]
    public void Reservation_CommittedTwiceOrAfterDispose_Throws()
    {
        var reservation = _store.TryReserve(RecordBytes)!;
        reservation.Commit(TestRecords.Unsealed(1, Layout)).Dispose();
        Assert.Throws<InvalidOperationException>(() => reservation.Commit(TestRecords.Unsealed(1, Layout)));
        reservation.Dispose();
        reservation.Dispose();
        Assert.True(IsHit(1));
    }

    [Fact]
    public void Commit_HeaderOfAnotherSize_ThrowsAndPublishesNothing()
    {
        using var reservation = _store.TryReserve(RecordBytes)!;
        Assert.Throws<ArgumentException>(() => reservation.Commit(TestRecords.Unsealed(1, TestRecords.Layout(heads: 2))));
        Assert.False(IsHit(1));
    }

    [Fact]
    public void Commit_SameKeyAndLayoutAgain_KeepsTheFirstAndGivesALeaseOfIt()
    {
        Put(1);
        using var second = _store.Put(1, Layout, seed: 99)!;

        Assert.Equal(TestRecords.Payload(Layout, 1), second.Payload.ToArray());
        Assert.Equal((1L, 1), (_store.Snapshot().Duplicates, _store.Snapshot().Records));
    }

    [Fact]
    public void TryLease_ShardsOfFourRanks_NeedsAllOfThem()
    {
        for (var rank = 0; rank < 3; rank++)
        {
            Put(1, Layout.ForRank(rank, 4));
        }
        Assert.False(IsHit(1));
        Assert.True(IsHit(1, new ChunkQuery(1, 2, 32)));
        Put(1, Layout.ForRank(3, 4));

        Assert.True(_store.TryLease(TestRecords.Key(1), TestRecords.Whole(), out var chunk));
        Assert.Equal([0, 1, 2, 3], chunk.Shards.Select(shard => shard.Header.Layout.FirstHead));
        chunk.Dispose();
    }

    [Fact]
    public void TryLease_TwoFamilies_TakesThePreferredOneElseAUsableOne()
    {
        var other = TestRecords.Layout(order: KvOrder.Nhd);
        Put(1, other);
        Put(1);

        AssertOrder(new ChunkQuery(0, 0, 32, Preferred: Layout), KvOrder.Hnd);
        AssertOrder(new ChunkQuery(0, 0, 32, Preferred: other), KvOrder.Nhd);
        AssertOrder(new ChunkQuery(0, 0, 32, IsUsable: family => family.Order == KvOrder.Hnd), KvOrder.Hnd);
        Assert.False(IsHit(1, new ChunkQuery(0, 0, 32, IsUsable: _ => false)));
        Assert.False(IsHit(1, TestRecords.Whole(tokens: 16)));

        void AssertOrder(ChunkQuery query, KvOrder expected)
        {
            Assert.True(_store.TryLease(TestRecords.Key(1), query, out var chunk));
            Assert.Equal(expected, chunk.Shards[0].Header.Layout.Order);
            chunk.Dispose();
        }
    }

    [Fact]
    public void TryLease_AnotherSaltOrModel_IsAMiss()
    {
        Put(1, salt: "tenant-a");

        Assert.False(IsHit(1));
        Assert.False(_store.Contains(TestRecords.Key(1, "tenant-b")));
        Assert.True(_store.Contains(TestRecords.Key(1, "tenant-a"), Layout));
        Assert.False(_store.Contains(TestRecords.Key(1, "tenant-a"), TestRecords.Layout(heads: 2)));
    }

    [Fact]
    public void TryReserve_Full_EvictsTheLeastRecentlyUsedChunk()
    {
        for (var number = 1; number <= 4; number++)
        {
            Put(number);
        }
        Assert.True(IsHit(1));
        Put(5);

        Assert.False(IsHit(2));
        Assert.True(IsHit(1) && IsHit(3) && IsHit(4) && IsHit(5));
        Assert.Equal(1, _store.Snapshot().Evictions);
    }

    [Fact]
    public void TryReserve_EverythingLeased_IsNullAtOnceAndEvictsNothing()
    {
        var leases = Enumerable.Range(1, 4).Select(number => _store.Put(number, Layout)!).ToArray();

        Assert.Null(_store.TryReserve(RecordBytes));
        Assert.Equal((4, 1L, 0L), (_store.Snapshot().Records, _store.Snapshot().Refused, _store.Snapshot().Evictions));
        leases[2].Dispose();
        Put(5);
        Assert.False(IsHit(3));
        Array.ForEach(leases, lease => lease.Dispose());
    }

    [Fact]
    public void TryReserve_LargerThanWhatIsNotHeld_LeavesTheCacheAlone()
    {
        Put(1);
        Put(2);
        Assert.Null(_store.TryReserve((4 * RecordBytes) + 1));
        Assert.Null(_store.TryReserve(long.MaxValue));
        Assert.Null(_store.TryReserve(0));
        Assert.True(IsHit(1) && IsHit(2));
    }

    [Fact]
    public void TryReserve_VictimWasParkedWhileLeased_IsEvictableAgainAfterItsLastLease()
    {
        var lease = _store.Put(1, Layout)!;
        for (var number = 2; number <= 5; number++)
        {
            Put(number); // The put of 5 parks 1 and evicts 2.
        }
        Assert.True(IsHit(1));
        Assert.False(IsHit(2));
        _store.CheckIntegrity();
        lease.Dispose();
        for (var number = 6; number <= 9; number++)
        {
            Put(number);
        }
        Assert.False(IsHit(1));
    }

    [Fact]
    public void Remove_WhileLeased_HidesTheRecordAndKeepsItsBytesForTheReader()
    {
        var lease = _store.Put(1, Layout)!;
        Assert.Equal(1, _store.Remove(TestRecords.Key(1)));

        Assert.False(IsHit(1));
        Assert.Equal(TestRecords.Payload(Layout, 1), lease.Payload.ToArray());
        Assert.NotEqual(0, _store.Snapshot().UsedBytes);
        lease.Dispose();
        Assert.Equal(0, _store.Snapshot().UsedBytes);
    }

    [Fact]
    public void Lease_DisposedTwice_EndsOnce()
    {
        var lease = _store.Put(1, Layout)!;
        var other = lease.Duplicate();
        lease.Dispose();
        lease.Dispose();

        Assert.Equal(1, _store.Snapshot().Leases);
        Assert.Throws<ObjectDisposedException>(() => lease.Record);
        Assert.Throws<ObjectDisposedException>(() => lease.Duplicate());
        other.Dispose();
    }

    [Fact]
    public void DropDamaged_ByTwoReaders_CountsOnceAndIsAMissAfterwards()
    {
        var first = _store.Put(1, Layout)!;
        var second = first.Duplicate();
        _store.DropDamaged(first);
        _store.DropDamaged(second);

        Assert.Equal((1L, 0), (_store.Snapshot().Damaged, _store.Snapshot().Records));
        Assert.False(IsHit(1));
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public void LeaseChain_WithAGap_StopsBeforeIt()
    {
        foreach (var number in (int[])[1, 2, 4])
        {
            Put(number);
        }
        var chain = new List<ChunkLease>();
        var keys = Enumerable.Range(1, 4).Select(number => TestRecords.Key(number)).ToArray();

        Assert.Equal(2, _store.LeaseChain(keys, _ => TestRecords.Whole(), chain));
        Assert.Equal([keys[0], keys[1]], chain.Select(lease => lease.Key));
        Assert.Equal((2L, 2L), (_store.Snapshot().Hits, _store.Snapshot().Misses));
        chain.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void Touch_AChain_MakesItsTailGoFirst()
    {
        for (var number = 1; number <= 4; number++)
        {
            Put(number);
        }
        _store.Touch(Enumerable.Range(1, 4).Select(number => TestRecords.Key(number)).ToArray());
        Put(5);
        Assert.False(IsHit(4));
        Put(6);
        Assert.False(IsHit(3));
        Assert.True(IsHit(1) && IsHit(2));
    }

    [Fact]
    public void Publish_BeyondTheLimitOfOneChunk_ServesTheCallerAndDoesNotGrowTheIndex()
    {
        var tiny = TestRecords.Layout(tokens: 1) with { Layers = 1, HeadDim = 1, BlockTokens = 0, Order = KvOrder.TwoLtd, Packing = KvPacking.Split };
        using var store = TestRecords.Store(1 << 20);
        for (var index = 0; index < RecordStore.MaxRecordsPerChunk + 5; index++)
        {
            var layout = tiny with { Tokens = 1 + index };
            using var lease = store.Put(1, layout)!;
            Assert.Equal(layout, lease.Header.Layout);
        }
        Assert.Equal(RecordStore.MaxRecordsPerChunk, store.Snapshot().Records);
        store.CheckIntegrity();
    }

    [Fact]
    public void Dispose_WithALeaseOut_LeavesItsBytesReadable()
    {
        var store = TestRecords.Store(4 * RecordBytes);
        var lease = store.Put(1, Layout)!;
        store.Dispose();

        Assert.Equal(TestRecords.Payload(Layout, 1), lease.Payload.ToArray());
        lease.Dispose();
        Assert.Equal(0, store.Arena.SlotCount);
    }
}
