using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreStressTests
{
    [Fact]
    public async Task ManyThreads_PutLeaseRemoveAndPin_NeverReadForeignBytesAndLeakNothing()
    {
        var layouts = (KvLayout[])[TestRecords.Layout(), TestRecords.Layout(tokens: 48), TestRecords.Layout(heads: 2), TestRecords.Layout(heads: 1, tokens: 7)];
        var largest = layouts.Max(layout => KvRecord.HeaderBytes + layout.PayloadBytes);
        using var store = TestRecords.Store(12 * largest);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() => Run(store, layouts, new Random(100 + thread)))));

        store.Pins.Dispose();
        store.CheckIntegrity();
        var stats = store.Snapshot();
        Assert.Equal((0, 0L), (stats.Leases, stats.HeldBytes));
        Assert.True(stats is { Evictions: > 0, Hits: > 0, Misses: > 0 }, stats.ToString());
        store.Clear();
        Assert.Equal(0, store.Arena.SlotCount);
    }

    private static void Run(RecordStore store, KvLayout[] layouts, Random random)
    {
        var pins = new Queue<long>();
        for (var step = 0; step < 4000; step++)
        {
            var number = random.Next(40);
            var layout = layouts[number % layouts.Length];
            switch (random.Next(10))
            {
                case < 4:
                    store.Put(number, layout)?.Dispose();
                    break;
                case < 8:
                    if (store.TryLease(TestRecords.Key(number), new ChunkQuery(0, layout.Heads, layout.Tokens), out var chunk))
                    {
                        Assert.Equal(TestRecords.Payload(layout, number), chunk.Shards[0].Payload.ToArray());
                        if (pins.Count < 2 && store.Pins.TryAdd([chunk.Shards[0].Duplicate()], TimeSpan.FromMinutes(1), null, out var pin, out _))
                        {
                            pins.Enqueue(pin);
                        }
                        chunk.Dispose();
                    }
                    break;
                case 8:
                    store.Remove(TestRecords.Key(number));
                    break;
                default:
                    if (pins.TryDequeue(out var oldest))
                    {
                        Assert.True(store.Pins.Release(oldest));
                    }
                    break;
            }
        }
    }
}
