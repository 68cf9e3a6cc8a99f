using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

/// <summary>A store with room for exactly four records, whose books must balance when the test is through.</summary>
public abstract class StoreFixture : IDisposable
{
    protected static readonly KvLayout Layout = TestRecords.Layout();
    protected static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;

    protected StoreFixture(string policy = "lru", RecordStoreOptions? options = null) =>
        (Policy, Store) = (policy, TestRecords.Store(4 * RecordBytes, Time, policy: policy, options: options));

    protected string Policy { get; }

    protected FakeTimeProvider Time { get; } = new();

    protected RecordStore Store { get; }

    public void Dispose()
    {
        Store.CheckIntegrity();
        Store.Pins.Dispose();
        var stats = Store.Snapshot();
        Assert.Equal((0, 0L), (stats.Leases, stats.HeldBytes));
        Store.Dispose();
        Assert.Equal((0, 0), (Store.Arena.SlotCount, Store.Arena.BaseAddress));
        GC.SuppressFinalize(this);
    }

    protected void Put(int number, string salt = "") => Store.Put(number, Layout, salt: salt)!.Dispose();

    protected bool Has(int number, string salt = "") => Store.Contains(TestRecords.Key(number, salt));

    protected bool IsHit(int number, ChunkQuery? query = null)
    {
        var hit = Store.TryLease(TestRecords.Key(number), query ?? TestRecords.Whole(), out var lease);
        lease?.Dispose();
        return hit;
    }
}
