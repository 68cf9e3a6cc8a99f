using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordPinsTests
{
    private static readonly KvLayout Layout = TestRecords.Layout();
    private readonly FakeTimeProvider _time = new();

    private RecordStore Store(int records) => TestRecords.Store(records * (KvRecord.HeaderBytes + Layout.PayloadBytes), _time);

    [Fact]
    public void TryReserve_OnlyPinnedRecords_WaitsForTheExpiryAndNoLonger()
    {
        using var store = Store(1);
        var ended = 0;
        Assert.True(store.Pins.TryAdd([store.Put(1, Layout)!], TimeSpan.FromSeconds(30), _ => ended++, out _, out var expiresAt));
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromSeconds(30), expiresAt);

        _time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Null(store.Put(2, Layout));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        store.Put(2, Layout)!.Dispose();
        Assert.Equal((1, 1L, 0), (ended, store.Pins.Expired, store.Pins.Count));
    }

    [Fact]
    public void TryExtend_BeforeTheExpiry_MovesItAndNeverBack()
    {
        using var store = Store(2);
        store.Pins.TryAdd([store.Put(1, Layout)!], TimeSpan.FromSeconds(30), null, out var pin, out var first);
        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.True(store.Pins.TryExtend(pin, TimeSpan.FromSeconds(5), out var same));
        Assert.Equal(first, same);
        Assert.True(store.Pins.TryExtend(pin, TimeSpan.FromSeconds(20), out _));
        _time.Advance(TimeSpan.FromSeconds(19));
        Assert.Equal(0, store.Pins.ReleaseExpired());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, store.Pins.ReleaseExpired());
        Assert.False(store.Pins.TryExtend(pin, TimeSpan.FromSeconds(20), out _));
    }

    [Fact]
    public void Release_Twice_EndsOnceAndFreesTheRecord()
    {
        using var store = Store(1);
        var ended = 0;
        store.Pins.TryAdd([store.Put(1, Layout)!], TimeSpan.FromSeconds(30), _ => ended++, out var pin, out _);

        Assert.True(store.Pins.Release(pin));
        Assert.False(store.Pins.Release(pin));
        Assert.Equal((1, 0, 0L), (ended, store.Snapshot().Leases, store.Pins.Expired));
    }

    [Fact]
    public void TryAdd_BeyondTheLimit_IsRefusedAndItsLeasesEnd()
    {
        using var store = Store(2);
        using var pins = new RecordPins(_time, maxPins: 1);
        Assert.True(pins.TryAdd([store.Put(1, Layout)!], TimeSpan.FromSeconds(1), null, out _, out _));

        Assert.False(pins.TryAdd([store.Put(2, Layout)!], TimeSpan.FromSeconds(1), null, out _, out _));
        Assert.Equal(1, store.Snapshot().Leases);
    }

    [Fact]
    public void TryAdd_AfterManyReleases_StillExpiresInOrder()
    {
        using var store = Store(1);
        var record = store.Put(1, Layout)!;
        var kept = new List<long>();
        for (var index = 0; index < 500; index++)
        {
            store.Pins.TryAdd([record.Duplicate()], TimeSpan.FromSeconds(1000 - index), null, out var pin, out _);
            if (index % 100 == 0)
            {
                kept.Add(pin);
            }
            else
            {
                store.Pins.Release(pin);
            }
        }
        record.Dispose();
        foreach (var expected in (int[])[1, 1, 1, 1, 1])
        {
            _time.Advance(TimeSpan.FromSeconds(store.Pins.Count == kept.Count ? 600 : 100));
            Assert.Equal(expected, store.Pins.ReleaseExpired());
        }
        Assert.Equal(0, store.Snapshot().Leases);
    }
}
