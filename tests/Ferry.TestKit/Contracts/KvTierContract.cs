using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What every tier must do, the fake of the tests too.</summary>
public abstract class KvTierContract
{
    protected static readonly KvLayout Layout = TestRecords.Layout();

    protected abstract IKvTier Open();

    /// <summary>Flips one bit of every record that the tier holds, behind its back.</summary>
    protected abstract void Damage(IKvTier tier, int byteIndex);

    protected static Task<TierPutOutcome> PutAsync(IKvTier tier, int number, KvLayout layout, string salt = "")
    {
        var (header, record) = TestRecords.Record(number, layout, salt: salt);
        return tier.PutAsync(header, record, CancellationToken.None);
    }

    protected static async Task<(TierRead Read, byte[] Bytes)> ReadAsync(IKvTier tier, TierRecord record)
    {
        var bytes = new byte[record.RecordBytes];
        return (await tier.ReadAsync(record, bytes, CancellationToken.None), bytes);
    }

    /// <summary>Cancels an operation after so many turns of the scheduler: the first before it begins.</summary>
    /// <returns>Null when it ended as cancelled.</returns>
    private static async Task<T?> CancelledAfter<T>(int turns, Func<CancellationToken, Task<T>> operation)
        where T : struct
    {
        using var cancelling = new CancellationTokenSource();
        if (turns == 0)
        {
            await cancelling.CancelAsync();
        }
        var running = Task.Run(() => operation(cancelling.Token), CancellationToken.None);
        for (var turn = 0; turn < turns * turns && !running.IsCompleted; turn++)
        {
            await Task.Yield();
        }
        await cancelling.CancelAsync();
        try
        {
            return await running;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static Task<IReadOnlyList<TierRecord>> FindAsync(IKvTier tier, int number, string salt = "") =>
        tier.FindAsync(TestRecords.Key(number, salt), CancellationToken.None);

    [Fact]
    public async Task ReadAsync_AfterPut_GivesTheSameBytes()
    {
        await using var tier = Open();
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));

        var (read, bytes) = await ReadAsync(tier, Assert.Single(await FindAsync(tier, 1)));
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.Equal(TestRecords.Record(1, Layout).Record, bytes);
        Assert.Equal(TestRecords.Record(1, Layout).Header, read.Header);
    }

    [Fact]
    public async Task FindAsync_NothingPut_IsEmpty()
    {
        await using var tier = Open();
        Assert.Empty(await FindAsync(tier, 1));
        Assert.Equal(0, await tier.DeleteAsync(TestRecords.Key(1), CancellationToken.None));
    }

    [Fact]
    public async Task FindAsync_ShardsOfTwoLayoutsAndAnotherTenant_NamesEachOnceAndOnlyTheAsked()
    {
        await using var tier = Open();
        for (var rank = 0; rank < 4; rank++)
        {
            await PutAsync(tier, 1, Layout.ForRank(rank, 4));
        }
        await PutAsync(tier, 1, TestRecords.Layout(order: KvOrder.Nhd));
        await PutAsync(tier, 1, Layout, salt: "other/../tenant");
        await PutAsync(tier, 2, Layout);

        var found = await FindAsync(tier, 1);
        Assert.Equal(5, found.Count);
        Assert.Equal([1, 4], found.GroupBy(record => record.Family).Select(family => family.Count()).Order());
        Assert.Equal([0, 0, 1, 2, 3], found.Select(record => record.FirstHead).Order());
        Assert.Single(await FindAsync(tier, 1, "other/../tenant"));
    }

    [Fact]
    public async Task PutAsync_Twice_IsPresentAndKeepsOne()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout);
        Assert.Equal(TierPutOutcome.Present, await PutAsync(tier, 1, Layout));
        Assert.Single(await FindAsync(tier, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(KvRecord.HeaderBytes)]
    [InlineData(KvRecord.HeaderBytes + 4095)]
    public async Task ReadAsync_OneBitFlipped_IsDamagedCountedAndGone(int byteIndex)
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout);
        Damage(tier, byteIndex);

        var found = Assert.Single(await FindAsync(tier, 1));
        Assert.Equal(TierReadOutcome.Damaged, (await ReadAsync(tier, found)).Read.Outcome);
        Assert.Equal(1, tier.Counts.Damaged);
        Assert.Empty(await FindAsync(tier, 1));
        Assert.Equal(TierReadOutcome.Missing, (await ReadAsync(tier, found)).Read.Outcome);
    }

    [Fact]
    public async Task PutAndReadAsync_CallerHasGivenUp_AreCancelledAndHarmNothing()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout);
        var (header, record) = TestRecords.Record(2, Layout);
        var given = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tier.PutAsync(header, record, given));
        Assert.Empty(await FindAsync(tier, 2));
        var found = Assert.Single(await FindAsync(tier, 1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tier.ReadAsync(found, new byte[found.RecordBytes], given));
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync(tier, found)).Read.Outcome);
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 2, Layout));
    }

    [Fact]
    public async Task DeleteAsync_Chunk_TakesAllItsShards()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout.ForRank(0, 2));
        await PutAsync(tier, 1, Layout.ForRank(1, 2));
        await PutAsync(tier, 2, Layout);

        Assert.Equal(2, await tier.DeleteAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Empty(await FindAsync(tier, 1));
        Assert.Single(await FindAsync(tier, 2));
    }

    [Fact]
    public async Task ListAndMeasure_SomeRecords_AgreeInNumberAndBytes()
    {
        await using var tier = Open();
        var bytes = 0L;
        for (var number = 0; number < 5; number++)
        {
            await PutAsync(tier, number, Layout);
            bytes += TestRecords.Record(number, Layout).Record.Length;
        }
        var listed = await tier.ListAsync(CancellationToken.None).ToListAsync();
        var usage = await tier.MeasureAsync(CancellationToken.None);

        Assert.Equal((5, bytes), (listed.Count, listed.Sum(record => record.RecordBytes)));
        Assert.Equal((5L, bytes, false), (usage.Records, usage.Bytes, usage.IsLowerBound));
    }

    [Fact]
    public async Task ListAsync_RecordItNames_IsReadableByIt()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout);
        var listed = Assert.Single(await tier.ListAsync(CancellationToken.None).ToListAsync());
        if (listed.Record is { } record)
        {
            Assert.Equal((TestRecords.Key(1), Assert.Single(await FindAsync(tier, 1)).Location), (record.Key, record.Location));
            Assert.Equal(TierReadOutcome.Read, (await ReadAsync(tier, record)).Read.Outcome);
        }
    }

    [Fact]
    public async Task PutAsync_SameRecordFromManySides_LeavesOneWholeRecord()
    {
        await using var tier = Open();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => PutAsync(tier, 1, Layout))));

        var (read, bytes) = await ReadAsync(tier, Assert.Single(await FindAsync(tier, 1)));
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.Equal(TestRecords.Record(1, Layout).Record, bytes);
    }

    [Fact]
    public async Task PutAndRead_CancelledAtAnyTime_LeaveAWholeRecordOrNone()
    {
        await using var tier = Open();
        for (var number = 0; number < 24; number++)
        {
            var (header, record) = TestRecords.Record(number, Layout);
            var stored = await CancelledAfter(number, token => tier.PutAsync(header, record, token)) is TierPutOutcome.Stored;
            if (!stored && (await FindAsync(tier, number)).Count == 0)
            {
                // What was given up stands in nobody's way; or it has arrived meanwhile all the same.
                Assert.Contains(await PutAsync(tier, number, Layout), new[] { TierPutOutcome.Stored, TierPutOutcome.Present });
            }
            var found = Assert.Single(await FindAsync(tier, number));
            await CancelledAfter(number, token => tier.ReadAsync(found, new byte[found.RecordBytes], token));

            var (read, bytes) = await ReadAsync(tier, found);
            Assert.Equal((TierReadOutcome.Read, 0L), (read.Outcome, tier.Counts.Damaged));
            Assert.Equal(record, bytes);
        }
    }

    [Fact]
    public async Task FindManyAsync_AChain_AnswersInOrderUpToTheFirstThatIsMissing()
    {
        await using var tier = Open();
        foreach (var number in (int[])[1, 2, 3, 5])
        {
            await PutAsync(tier, number, Layout);
        }
        var found = await tier.FindManyAsync([.. Enumerable.Range(1, 6).Select(number => TestRecords.Key(number))], CancellationToken.None);

        Assert.Equal(6, found.Count);
        Assert.Equal([1, 1, 1, 0], found.Take(4).Select(records => records.Count));
        Assert.Equal([1, 2, 3], found.Take(3).Select(records => BitConverter.ToInt32(records[0].Key.Hash.Bytes)));
        Assert.All(found.SelectMany(records => records), record => Assert.Contains(BitConverter.ToInt32(record.Key.Hash.Bytes), (int[])[1, 2, 3, 5]));
    }
}
