using System.Runtime.CompilerServices;
using Ferry.Cache.Remote;
using Ferry.Cache.Tiers;
using Ferry.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote;

public sealed class SharedCapacityTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));
    private readonly Store _store = new();

    private SharedCapacity Open(long? capacityBytes = 1000, TimeSpan? expireAfter = null, int scanRecordsMax = 1000) => new(
        _store, new SharedCapacityOptions { CapacityBytes = capacityBytes, ExpireAfter = expireAfter, ScanRecordsMax = scanRecordsMax, RecountEvery = TimeSpan.FromMinutes(5) },
        _time, NullLogger.Instance);

    private void Add(string name, long bytes, double minutesOld = 0) => _store.Records[name] = new TierListing(name, bytes, _time.GetUtcNow() - TimeSpan.FromMinutes(minutesOld));

    private async Task<bool> PutAsync(SharedCapacity capacity, string name, long bytes)
    {
        if (!await capacity.TryTakeAsync(bytes, CancellationToken.None))
        {
            return false;
        }
        Add(name, bytes);
        capacity.Landed(bytes);
        return true;
    }

    [Fact]
    public async Task TryTakeAsync_AtTheCap_DeletesTheLeastRecentlyUsed()
    {
        Add("old", 400, 20);
        Add("older", 400, 30);
        await using var capacity = Open();
        Assert.True(await PutAsync(capacity, "new", 400));
        Assert.Equal(["new", "old"], _store.Records.Keys.Order());
        Assert.Equal(1, capacity.Evictions);
    }

    [Fact]
    public async Task TryTakeAsync_LargerThanTheCap_IsRefusedWithoutAWalk()
    {
        await using var capacity = Open();
        await Eventually.HoldsAsync(() => _store.Walks == 1); // The first count.
        Assert.False(await capacity.TryTakeAsync(1001, CancellationToken.None));
        Assert.Equal(1, _store.Walks);
    }

    [Fact]
    public async Task TryTakeAsync_ManyAtOnce_NeverTogetherExceedTheCap()
    {
        await using var capacity = Open();
        var stored = 0;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(index => Task.Run(async () =>
        {
            if (await capacity.TryTakeAsync(100, CancellationToken.None))
            {
                lock (_store.Records)
                {
                    Add($"r{index}", 100);
                    stored++;
                    Assert.True(_store.Records.Values.Sum(record => record.RecordBytes) <= 1000);
                }
                capacity.Landed(100);
            }
        })));
        Assert.True(stored >= 10);
    }

    [Fact]
    public async Task TryTakeAsync_WalkThatTakesLong_RefusesAfterAWhileAndTheWalkGoesOn()
    {
        _store.Gate = new TaskCompletionSource();
        await using var capacity = Open();
        var taken = capacity.TryTakeAsync(100, CancellationToken.None);
        await Eventually.HoldsAsync(() => _store.Walks == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await taken);
        _store.Gate.SetResult();
        Assert.True(await capacity.TryTakeAsync(100, CancellationToken.None)); // It joins the walk, or finds it ended.
        Assert.Equal(1, _store.Walks);
    }

    [Fact]
    public async Task Recount_OthersFilledTheStore_MakesRoomByItself()
    {
        await using var capacity = Open();
        await Eventually.HoldsAsync(() => _store.Walks == 1);
        for (var number = 0; number < 20; number++)
        {
            Add($"other{number}", 100, minutesOld: number);
        }
        await AdvanceUntilAsync(() => capacity.Evictions >= 10);
        Assert.True(_store.Records.Values.Sum(record => record.RecordBytes) <= 1000);
        Assert.True(_store.Records.ContainsKey("other0"));
    }

    /// <summary>More than once: the loop may not be waiting for the clock yet.</summary>
    private Task AdvanceUntilAsync(Func<bool> holds) => Eventually.TrueAsync(() =>
    {
        _time.Advance(TimeSpan.FromMinutes(5));
        return holds();
    }, "the store was not counted again");

    [Fact]
    public async Task Recount_ExpiredRecords_AreDeletedThoughThereIsRoom()
    {
        Add("young", 10, 4);
        Add("expired", 10, 6);
        await using var capacity = Open(capacityBytes: null, expireAfter: TimeSpan.FromMinutes(5));
        await Eventually.HoldsAsync(() => capacity.Evictions == 1);
        Assert.Equal(["young"], _store.Records.Keys);
        Assert.True(capacity.IsExpired(_time.GetUtcNow() - TimeSpan.FromMinutes(6)));
        Assert.False(capacity.IsExpired(_time.GetUtcNow() - TimeSpan.FromMinutes(4)));

        await AdvanceUntilAsync(() => _store.Records.Count == 0);
    }

    [Fact]
    public async Task GiveBackAndRemoved_AfterATake_MakeRoomAgain()
    {
        await using var capacity = Open();
        Assert.True(await capacity.TryTakeAsync(600, CancellationToken.None));
        capacity.GiveBack(600);
        Assert.True(await PutAsync(capacity, "a", 900));
        _store.Records.Remove("a");
        capacity.Removed(900);
        Assert.True(await PutAsync(capacity, "b", 900));
        Assert.Equal(0, capacity.Evictions);
    }

    [Fact]
    public async Task MeasureAsync_MoreThanItMayLookAt_IsALowerBound()
    {
        for (var number = 0; number < 20; number++)
        {
            Add($"r{number}", 1);
        }
        await using var capacity = Open(scanRecordsMax: 10);
        Assert.Equal(new TierUsage(10, 10, 1000, true), await capacity.MeasureAsync(CancellationToken.None));
    }

    [Fact]
    public async Task TryTakeAsync_StoreThatCannotBeCounted_IsRefused()
    {
        _store.Fault = new IOException("gone");
        await using var capacity = Open();
        Assert.False(await capacity.TryTakeAsync(1, CancellationToken.None));
        _store.Fault = null;
        Assert.True(await capacity.TryTakeAsync(1, CancellationToken.None));
    }

    private sealed class Store : ICappedStore
    {
        private int _walks;

        public Dictionary<string, TierListing> Records { get; } = [];

        public TaskCompletionSource? Gate { get; set; }

        public Exception? Fault { get; set; }

        public int Walks => Volatile.Read(ref _walks);

        public string Name => "store";

        public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _walks);
            if (Fault is { } fault)
            {
                throw fault;
            }
            await (Gate?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
            TierListing[] all;
            lock (Records)
            {
                all = [.. Records.Values];
            }
            foreach (var one in all)
            {
                yield return one;
            }
        }

        public Task<(int Records, long Bytes)> DeleteAsync(IReadOnlyList<TierListing> records, CancellationToken cancellationToken)
        {
            lock (Records)
            {
                foreach (var record in records)
                {
                    Records.Remove(record.Location);
                }
            }
            return Task.FromResult((records.Count, records.Sum(record => record.RecordBytes)));
        }
    }
}
