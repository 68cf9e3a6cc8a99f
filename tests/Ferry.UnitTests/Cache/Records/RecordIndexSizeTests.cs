using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

/// <summary>Alone: the memory is the whole process's.</summary>
[CollectionDefinition(nameof(RecordIndexSizeTests), DisableParallelization = true)]
[Collection(nameof(RecordIndexSizeTests))]
public sealed class RecordIndexSizeTests
{
    [Fact]
    public void Index_OfManySmallestRecords_TakesLessThanTwoHundredBytesARecord()
    {
        const int Records = 50_000;
        var layout = KvLayout.Opaque(0);
        using var store = TestRecords.Store(Records * 1024L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var number = 0; number < Records; number++)
        {
            store.Put(number, layout)!.Dispose();
        }
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Records;

        Assert.Equal(Records, store.Snapshot().Records);
        Assert.True(bytes < 200, $"{bytes:F1} bytes a record");
        GC.KeepAlive(store);
    }
}
