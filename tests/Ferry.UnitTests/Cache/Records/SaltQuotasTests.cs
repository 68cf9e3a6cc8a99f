using CsCheck;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class SaltQuotasTests() : StoreFixture(options: new RecordStoreOptions { QuotasMax = 2 })
{
    [Fact]
    public void TryReserve_SaltAtItsQuota_LosesItsOwnOldestAndNobodyElses()
    {
        Assert.True(Store.Quotas.TrySet("a", 2 * RecordBytes));
        Put(9);
        Put(1, "a");
        Put(2, "a");
        Put(3, "a");

        Assert.Equal((false, true, true, true), (Has(1, "a"), Has(2, "a"), Has(3, "a"), Has(9)));
        Assert.Equal(2 * RecordBytes, Store.Quotas.UsageOf("a").Bytes);
        Assert.Equal(1, Store.Snapshot().Left[EvictionReason.Quota].Count);
    }

    [Fact]
    public void TryReserve_QuotaHeldByReadersOrTooSmall_IsOverQuota()
    {
        Store.Quotas.TrySet("a", RecordBytes);
        using var lease = Store.Put(1, Layout, salt: "a");

        Assert.Null(Store.TryReserve(TestRecords.Key(2, "a"), Layout, PutMode.KeepFirst, out var outcome));
        Assert.Equal((ReserveOutcome.OverQuota, 1L), (outcome, Store.Snapshot().OverQuota));
        Store.Quotas.TrySet("b", RecordBytes - 1);
        Assert.Null(Store.TryReserve(TestRecords.Key(2, "b"), Layout, PutMode.KeepFirst, out outcome));
        Assert.Equal(ReserveOutcome.OverQuota, outcome);
    }

    [Fact]
    public void Commit_OfARecordReservedWithoutAKey_OverQuotaIsReadByItsLeaseAndNotKept()
    {
        Store.Quotas.TrySet("a", RecordBytes);
        using var kept = Store.Put(1, Layout, salt: "a")!;
        using var over = Store.Put(2, Layout, salt: "a")!;

        Assert.Equal(TestRecords.Payload(Layout, 2), over.Payload.ToArray());
        Assert.Equal((true, false, false), (kept.IsCurrent, over.IsCurrent, Has(2, "a")));
        Assert.Equal(RecordBytes, Store.Quotas.UsageOf("a").Bytes);
    }

    [Fact]
    public void TrySet_BelowWhatIsThere_EvictsAtOnceAndLiftingItLetsTheSaltGrow()
    {
        Put(1, "a");
        Put(2, "a");
        Put(3, "a");
        Store.Quotas.TrySet("a", 2 * RecordBytes);
        Assert.Equal((false, 2), (Has(1, "a"), Store.Snapshot().Chunks));
        Store.CheckIntegrity();
        Store.Quotas.TrySet("a", null);
        Put(4, "a");
        Assert.Equal((3 * RecordBytes, (long?)null), (Store.Quotas.UsageOf("a").Bytes, Store.Quotas.UsageOf("a").QuotaBytes));
    }

    [Fact]
    public void TrySet_MoreSaltsThanTheLimit_IsRefused()
    {
        Assert.True(Store.Quotas.TrySet("a", 1));
        Assert.True(Store.Quotas.TrySet("b", 1));
        Assert.False(Store.Quotas.TrySet("c", 1));
        Assert.True(Store.Quotas.TrySet("a", null));
        Assert.True(Store.Quotas.TrySet("c", 1));
        Assert.Equal(["b", "c"], Store.Quotas.All.Select(usage => usage.Salt).Order());
    }

    [Fact]
    public void TryReserve_MemoryFull_TakesFromWhoUsesMostOfItsShare()
    {
        Store.Quotas.TrySet("a", 3 * RecordBytes);
        Put(1, "a");
        Put(2);
        Put(3);
        Put(4); // Without a quota: three of a share of one.
        Put(5, "a");

        Assert.Equal((true, false), (Has(1, "a"), Has(2)));
    }

    [Fact]
    public void UsageOf_AnySequenceOfPutsLeasesAndQuotas_IsTheSumOfWhatIsThere() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 8], Gen.Int[1, 4]).Array[1, 80].Sample(steps =>
        {
            using var store = TestRecords.Store(6 * RecordBytes);
            var leases = new List<RecordLease>();
            foreach (var (operation, number, amount) in steps)
            {
                var salt = number % 2 == 0 ? "a" : "b";
                switch (operation)
                {
                    case 0 or 1:
                        var stored = store.Snapshot().Stored;
                        store.Put(number, Layout, salt: salt)?.Dispose();
                        var usage = store.Quotas.UsageOf(salt);
                        Assert.True(store.Snapshot().Stored == stored || usage.QuotaBytes is null || usage.Bytes <= usage.QuotaBytes, usage.ToString());
                        break;
                    case 2 when store.TryLease(TestRecords.Key(number, salt), TestRecords.Whole(), out var chunk):
                        leases.Add(chunk.Shards[0]);
                        break;
                    case 3 when leases.Count > 0:
                        leases[0].Dispose();
                        leases.RemoveAt(0);
                        break;
                    case 4:
                        store.Quotas.TrySet(salt, amount * RecordBytes);
                        break;
                    case 5:
                        store.Quotas.TrySet(salt, null);
                        break;
                }
                store.CheckIntegrity();
                var (a, b) = (store.Quotas.UsageOf("a"), store.Quotas.UsageOf("b"));
                Assert.Equal(store.Snapshot().UsedBytes, a.Bytes + b.Bytes);
            }
            leases.ForEach(lease => lease.Dispose());
        }, iter: 300);
}
