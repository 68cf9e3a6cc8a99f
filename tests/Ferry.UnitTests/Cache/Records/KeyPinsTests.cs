using Ferry.Cache.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class KeyPinsTests() : StoreFixture(options: new RecordStoreOptions { PinsMax = 2 })
{
    private bool Pin(int number, PinKind kind, int seconds = 60) => Store.KeyPins.TryPin(TestRecords.Key(number), kind, TimeSpan.FromSeconds(seconds));

    private void PutAll(int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            Put(number);
        }
    }

    [Fact]
    public void HardPin_MemoryFull_StaysWhileItLasts()
    {
        Put(1);
        Assert.True(Pin(1, PinKind.Hard));
        PutAll(2, 9);
        Assert.True(Has(1));
        Assert.Equal(RecordBytes, Store.Snapshot().HeldBytes);

        Time.Advance(TimeSpan.FromSeconds(61));
        PutAll(10, 14);
        Assert.False(Has(1));
        Assert.Equal(0, Store.KeyPins.Count);
    }

    [Fact]
    public void SoftPin_MemoryFull_GoesAfterAllThatIsNotPinned()
    {
        PutAll(1, 4);
        Assert.True(Pin(1, PinKind.Soft));
        PutAll(5, 7);
        Assert.Equal((true, false), (Has(1), Has(2)));

        using var five = Lease(5);
        using var six = Lease(6);
        using var seven = Lease(7);
        Put(8); // Nothing else may go.
        Assert.Equal((false, true), (Has(1), Has(8)));
    }

    [Fact]
    public void SoftPin_ItsTimeOver_GoesAsOthersDo()
    {
        PutAll(1, 4);
        Pin(1, PinKind.Soft);
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(1, Store.ReleaseExpired());
        for (var number = 2; number <= 4; number++)
        {
            Assert.True(IsHit(number));
        }
        Put(5);
        Assert.Equal((false, null), (Has(1), Store.KeyPins.KindOf(TestRecords.Key(1))));
    }

    [Fact]
    public void TryPin_Again_TakesTheNewKindAndTime()
    {
        PutAll(1, 4);
        Pin(1, PinKind.Hard, seconds: 10);
        Pin(1, PinKind.Soft, seconds: 100);
        Assert.Equal((PinKind.Soft, 1, 0L), (Store.KeyPins.KindOf(TestRecords.Key(1)), Store.KeyPins.Count, Store.Snapshot().HeldBytes));
        Pin(1, PinKind.Hard, seconds: 100);
        Time.Advance(TimeSpan.FromSeconds(50));
        Store.ReleaseExpired();
        Assert.Equal(PinKind.Hard, Store.KeyPins.KindOf(TestRecords.Key(1)));
    }

    [Fact]
    public void TryPin_NotThereOrTooMany_IsRefused()
    {
        PutAll(1, 3);
        Assert.False(Pin(9, PinKind.Hard));
        Assert.False(Pin(9, PinKind.Soft));
        Assert.True(Pin(1, PinKind.Soft) && Pin(2, PinKind.Hard));
        Assert.False(Pin(3, PinKind.Hard));
        Assert.False(Pin(3, PinKind.Soft));
        Assert.True(Store.KeyPins.Unpin(TestRecords.Key(1)));
        Assert.True(Pin(3, PinKind.Hard));
        Assert.False(Store.KeyPins.Unpin(TestRecords.Key(9)));
    }

    [Fact]
    public void Clear_KeepingPinned_LeavesWhatIsPinnedHard()
    {
        PutAll(1, 3);
        Pin(1, PinKind.Hard);
        Pin(2, PinKind.Soft);

        Assert.Equal(2, Store.Clear(null, keepPinned: true));
        Assert.Equal((true, false), (Has(1), Has(2)));
        Assert.Equal(1, Store.Clear());
    }

    [Fact]
    public void Clear_OfOneSalt_LeavesTheOthers()
    {
        Put(1, "a");
        Put(2, "b");
        Assert.Equal(1, Store.Clear("a"));
        Assert.Equal((false, true), (Has(1, "a"), Has(2, "b")));
    }

    private RecordLease Lease(int number)
    {
        Assert.True(Store.TryLease(TestRecords.Key(number), TestRecords.Whole(), out var chunk));
        return chunk.Shards[0];
    }
}
