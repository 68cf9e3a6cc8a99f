using Ferry.Cache.Tiers;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What a tier with a cap must do besides.</summary>
public abstract class CappedTierContract : KvTierContract
{
    protected static int RecordBytes => TestRecords.Record(1, Layout).Record.Length;

    /// <summary>Of the tier that these tests fill: a few records, or the least that the tier takes.</summary>
    protected virtual long CapacityBytes => (6L * RecordBytes) + 1;

    /// <summary>Empty, with a cap of <see cref="CapacityBytes"/>.</summary>
    protected abstract IKvTier OpenCapped();

    private int PastTheCap => (int)(2 * CapacityBytes / RecordBytes);

    [Fact]
    public async Task PutAsync_PastTheCap_MakesRoomAndNeverExceedsIt()
    {
        await using var tier = OpenCapped();
        for (var number = 0; number < PastTheCap; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, number, Layout));
            var usage = await tier.MeasureAsync(CancellationToken.None);
            Assert.Equal(CapacityBytes, usage.CapacityBytes);
            Assert.InRange(usage.Bytes, RecordBytes, CapacityBytes);
            Assert.True(await IsWholeAsync(tier, number), $"Record {number} was stored and is not there.");
        }
        Assert.InRange(tier.Counts.Evictions, PastTheCap - (CapacityBytes / RecordBytes), PastTheCap);
    }

    [Fact]
    public async Task PutAsync_LargerThanTheCap_IsFullAndCostsNobodyHisPlace()
    {
        await using var tier = OpenCapped();
        await PutAsync(tier, 1, Layout);
        var larger = TestRecords.Layout(tokens: (int)(CapacityBytes / TestRecords.Layout(tokens: 16).PayloadBytes * 16) + 16);
        Assert.True(larger.PayloadBytes > CapacityBytes - KvRecord.HeaderBytes);

        Assert.Equal(TierPutOutcome.Full, await PutAsync(tier, 2, larger));
        Assert.Empty(await tier.FindAsync(TestRecords.Key(2), CancellationToken.None));
        Assert.True(await IsWholeAsync(tier, 1));
        Assert.Equal((1L, 0L), (tier.Counts.Refused, tier.Counts.Evictions));
    }

    [Fact]
    public async Task PutAsync_PastTheCapFromManySides_LeavesWholeRecordsWithinIt()
    {
        await using var tier = OpenCapped();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, PastTheCap).Select(number => Task.Run(() => PutAsync(tier, number, Layout))));

        Assert.All(outcomes, outcome => Assert.Contains(outcome, (TierPutOutcome[])[TierPutOutcome.Stored, TierPutOutcome.Full]));
        var usage = await tier.MeasureAsync(CancellationToken.None);
        Assert.InRange(usage.Bytes, RecordBytes, CapacityBytes);
        var whole = 0;
        for (var number = 0; number < PastTheCap; number++)
        {
            whole += await IsWholeAsync(tier, number) ? 1 : 0;
        }
        Assert.Equal((usage.Records, 0L), (whole, tier.Counts.Damaged));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, PastTheCap, Layout));
    }

    private static async Task<bool> IsWholeAsync(IKvTier tier, int number)
    {
        var found = await tier.FindAsync(TestRecords.Key(number), CancellationToken.None);
        if (found.Count == 0)
        {
            return false;
        }
        var (read, bytes) = await ReadAsync(tier, Assert.Single(found));
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.Equal(TestRecords.Record(number, Layout).Record, bytes);
        return true;
    }
}
