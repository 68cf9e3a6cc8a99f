using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

/// <summary>What the memory tier promises under every policy.</summary>
public abstract class RecordStoreContract(string policy) : StoreFixture(policy)
{
    [Fact]
    public void LongRandomLife_OfManySizes_KeepsEveryPromise()
    {
        KvLayout[] layouts = [Layout, TestRecords.Layout(tokens: 48), TestRecords.Layout(heads: 2), TestRecords.Layout(heads: 1, tokens: 7)];
        var largest = layouts.Max(layout => KvRecord.HeaderBytes + layout.PayloadBytes);
        using var store = TestRecords.Store(20 * largest, policy: Policy);
        store.Quotas.TrySet("t", 5 * largest);
        var random = new Random(11);
        var leases = new List<(RecordLease Lease, int Number, KvLayout Layout)>();
        for (var step = 0; step < 8_000; step++)
        {
            var number = random.Next(120);
            var (layout, salt) = (layouts[number % layouts.Length], number % 5 == 0 ? "t" : "");
            switch (random.Next(8))
            {
                case < 3:
                    if (store.Put(number, layout, salt: salt) is { } put)
                    {
                        leases.Add((put, number, layout));
                    }
                    break;
                case < 6:
                    if (store.TryLease(TestRecords.Key(number, salt), new ChunkQuery(0, layout.Heads, layout.Tokens), out var chunk))
                    {
                        leases.Add((chunk.Shards[0], number, layout));
                    }
                    break;
                case 6:
                    store.Remove(TestRecords.Key(number, salt));
                    break;
                default:
                    store.KeyPins.TryPin(TestRecords.Key(number, salt), number % 2 == 0 ? PinKind.Soft : PinKind.Hard, TimeSpan.FromMilliseconds(1));
                    break;
            }
            while (leases.Count > 6)
            {
                var at = random.Next(leases.Count);
                Assert.Equal(TestRecords.Payload(leases[at].Layout, leases[at].Number), leases[at].Lease.Payload.ToArray());
                leases[at].Lease.Dispose();
                leases.RemoveAt(at);
            }
            Assert.True(store.Arena.UsedBytes <= store.Arena.CapacityBytes);
            Assert.True(store.Quotas.UsageOf("t").Bytes <= 5 * largest);
            if (step % 500 == 0)
            {
                store.CheckIntegrity();
            }
        }
        leases.ForEach(lease => lease.Lease.Dispose());
        store.Pins.Dispose();
        store.CheckIntegrity();
        Assert.True(store.Snapshot() is { Evictions: > 100, Hits: > 100, HeldBytes: 0, Leases: 0 }, store.Snapshot().ToString());
        // Nothing that lived so long left a fragment behind: the whole memory is one piece again.
        store.Clear();
        using var all = store.TryReserve(store.Arena.CapacityBytes);
        Assert.NotNull(all);
    }

    [Fact]
    public void TryReserve_EverythingButOneLeased_EvictsThatOne()
    {
        var leases = Enumerable.Range(1, 4).Select(number => Store.Put(number, Layout)!).ToArray();
        leases[1].Dispose();
        Put(5);
        Assert.Equal((false, true), (Has(2), Has(5)));
        Assert.True(Has(1) && Has(3) && Has(4));
        foreach (var index in (int[])[0, 2, 3])
        {
            leases[index].Dispose();
        }
    }

    [Fact]
    public void Walk_WhileOthersComeAndGo_NamesWhatWasThereAllTheTime()
    {
        using var store = TestRecords.Store(64 * RecordBytes, policy: Policy);
        for (var number = 0; number < 40; number++)
        {
            store.Put(number, Layout)!.Dispose();
        }
        var (seen, cursor, calls) = (new HashSet<string>(), 0UL, 0);
        do
        {
            seen.UnionWith(store.Walk(ref cursor, 7).Select(record => record.Header.Hash.ToString()));
            store.Remove(TestRecords.Key(20 + calls));
            store.Put(100 + calls, Layout)!.Dispose();
            calls++;
        }
        while (cursor != 0);

        Assert.True(calls < 20);
        Assert.All(Enumerable.Range(0, 20), number => Assert.Contains(TestRecords.Hash(number).ToString(), seen));
    }
}
