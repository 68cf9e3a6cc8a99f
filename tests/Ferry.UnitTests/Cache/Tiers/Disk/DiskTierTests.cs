using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

/// <summary>On the file system that the temporary directory is on.</summary>
public sealed class DiskTierTests : CappedTierContract, IDisposable
{
    private const long MiB = 1 << 20;

    private readonly string _path = Directory.CreateTempSubdirectory("ferry-disk-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));

    public void Dispose() => Directory.Delete(_path, recursive: true);

    protected override IKvTier Open() => OpenAsync(Options()).GetAwaiter().GetResult();

    protected override long CapacityBytes => DiskTierOptions.CapacityBytesMin;

    protected override IKvTier OpenCapped() => OpenAsync(new DiskTierOptions { Path = _path, CapacityBytes = CapacityBytes, Sync = DiskSyncPolicy.None }).GetAwaiter().GetResult();

    protected override void Damage(IKvTier tier, int byteIndex)
    {
        foreach (var listing in tier.ListAsync(CancellationToken.None).ToBlockingEnumerable())
        {
            var place = listing.Location.Split('@');
            using var file = File.Open(Path.Combine(_path, place[0]), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Position = long.Parse(place[1]) + byteIndex;
            var value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 0x10));
        }
    }

    private DiskTierOptions Options(long capacityBytes = 16 * MiB, DiskSyncPolicy sync = DiskSyncPolicy.None) =>
        new() { Path = _path, CapacityBytes = capacityBytes, SegmentBytes = 256 << 10, Sync = sync };

    private Task<DiskTier> OpenAsync(DiskTierOptions options) => DiskTier.OpenAsync(options, _time, NullLogger<DiskTier>.Instance, CancellationToken.None);

    private long FileBytes()
    {
        var bytes = 2L * DiskPages.PageBytes; // The directory and the lock.
        using var files = new OsDiskFiles(_path, tryDirectIo: false);
        foreach (var file in Directory.GetFiles(_path).Where(file => !file.EndsWith(OsDiskFiles.LockName, StringComparison.Ordinal)))
        {
            using var open = files.Open(Path.GetFileName(file));
            bytes += open.AllocatedBytes;
        }
        return bytes;
    }

    [Theory]
    [InlineData(DiskSyncPolicy.None)]
    [InlineData(DiskSyncPolicy.Interval)]
    [InlineData(DiskSyncPolicy.Every)]
    public async Task OpenAsync_AfterARunWithRecordsOfManySizes_FindsEachWithItsBytes(DiskSyncPolicy sync)
    {
        int[] lengths = [0, 1, 3071, 3072, 3073, 7168, 70_000, 300_000, 1 << 20, (1 << 20) - 1024, (2 << 20) + 5];
        await using (var tier = await OpenAsync(Options(sync: sync)))
        {
            foreach (var bytes in lengths)
            {
                Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(bytes, KvLayout.Opaque(bytes)));
            }
            Assert.Equal(1, await tier.DeleteAsync(lengths[4]));
        }
        await using var again = await OpenAsync(Options(sync: sync));
        foreach (var bytes in lengths)
        {
            var expected = bytes == lengths[4] ? null : TestRecords.Record(bytes, KvLayout.Opaque(bytes)).Record;
            Assert.Equal(expected, await again.TryReadAsync(bytes));
        }
        Assert.Equal(0, again.Snapshot().Dropped);
    }

    [Fact]
    public async Task ReadAsync_IntoMemoryThatIsNotAligned_GivesTheSameBytes()
    {
        await using var tier = await OpenAsync(Options());
        await tier.PutAsync(1, KvLayout.Opaque(2_500_000));
        var record = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        var bytes = new byte[record.RecordBytes + 64];
        for (var shift = 0; shift < 64; shift += 21)
        {
            var read = await tier.ReadAsync(record, bytes.AsMemory(shift, record.RecordBytes), CancellationToken.None);
            Assert.Equal(TierReadOutcome.Read, read.Outcome);
            Assert.True(bytes.AsSpan(shift, record.RecordBytes).SequenceEqual(TestRecords.Record(1, KvLayout.Opaque(2_500_000)).Record));
        }
    }

    [Theory]
    [InlineData((4 << 20) - 1024)] // One piece, to the byte.
    [InlineData((4 << 20) - 1023)]
    [InlineData(9 << 20)]
    public async Task ReadAsync_RecordOfSeveralPieces_GivesTheSameBytesAndFindsDamageInEach(int payloadBytes)
    {
        await using var tier = await OpenAsync(Options(64 * MiB));
        var layout = KvLayout.Opaque(payloadBytes);
        var recordBytes = TestRecords.Record(1, layout).Record.Length;
        foreach (var byteIndex in (int[])[0, 40, 2000, (4 << 20) - 1, recordBytes - 1])
        {
            Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(1, layout));
            Assert.True((await tier.TryReadAsync(1)).AsSpan().SequenceEqual(TestRecords.Record(1, layout).Record));
            Damage(tier, byteIndex);
            var found = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
            Assert.Equal(TierReadOutcome.Damaged, (await ReadAsync(tier, found)).Read.Outcome);
            Assert.Null(await tier.TryReadAsync(1));
        }
        await tier.PutAsync(1, layout);
        var place = Assert.Single(await tier.ListAsync(CancellationToken.None).ToListAsync()).Location.Split('@');
        using (var file = File.Open(Path.Combine(_path, place[0]), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.SetLength(long.Parse(place[1]) + recordBytes - 1);
        }
        var cut = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Equal(TierReadOutcome.Damaged, (await ReadAsync(tier, cut)).Read.Outcome);
    }

    [Fact]
    public async Task PutAsync_ManyTimesTheCap_NeverTakesMoreThanTheCapAndKeepsTheNewest()
    {
        var options = Options(4 * MiB);
        await using var tier = await OpenAsync(options);
        for (var number = 0; number < 400; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(number, KvLayout.Opaque(20_000 + (number * 97 % 30_000))));
            if (number % 8 == 0)
            {
                Assert.InRange(FileBytes(), 1, options.CapacityBytes);
            }
        }
        Assert.NotNull(await tier.TryReadAsync(399));
        Assert.Null(await tier.TryReadAsync(0));
        Assert.True(tier.Counts.Evictions > 200);
        Assert.InRange(FileBytes(), options.CapacityBytes / 2, options.CapacityBytes);
        tier.CheckIntegrity();
    }

    [Fact]
    public async Task PutAsync_LargerThanTheCap_IsFullAtOnce()
    {
        await using var tier = await OpenAsync(Options(MiB, DiskSyncPolicy.None) with { SegmentBytes = null });
        Assert.Equal(TierPutOutcome.Full, await tier.PutAsync(1, KvLayout.Opaque(MiB)));
        Assert.Equal(1, tier.Counts.Refused);
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(2, KvLayout.Opaque(MiB / 2)));
    }

    [Fact]
    public async Task PutAsync_CappedWithAPinAndAReader_EvictsNeither()
    {
        await using var tier = await OpenAsync(Options(MiB) with { SegmentBytes = 64 << 10 });
        for (var number = 0; number < 5; number++)
        {
            await tier.PutAsync(number, KvLayout.Opaque(50_000));
        }
        Assert.True(tier.TryPin(TestRecords.Key(0), _time.GetUtcNow() + TimeSpan.FromMinutes(1)));
        Assert.False(tier.TryPin(TestRecords.Key(99), _time.GetUtcNow()));
        for (var number = 10; number < 60; number++)
        {
            await tier.PutAsync(number, KvLayout.Opaque(50_000));
        }
        Assert.NotNull(await tier.TryReadAsync(0));
        Assert.Null(await tier.TryReadAsync(1));

        _time.Advance(TimeSpan.FromMinutes(2));
        for (var number = 60; number < 110; number++)
        {
            await tier.PutAsync(number, KvLayout.Opaque(50_000));
        }
        Assert.Null(await tier.TryReadAsync(0));
        Assert.Equal(0, tier.Snapshot().Pins);
    }

    [Fact]
    public async Task PutAsync_EverythingPinned_IsFull()
    {
        await using var tier = await OpenAsync(Options(MiB) with { SegmentBytes = 64 << 10 });
        var number = 0;
        while (await tier.PutAsync(number, KvLayout.Opaque(50_000)) == TierPutOutcome.Stored)
        {
            Assert.True(tier.TryPin(TestRecords.Key(number++), DateTimeOffset.MaxValue));
        }
        Assert.InRange(number, 10, 20);
        Assert.NotNull(await tier.TryReadAsync(0));
        Assert.True(tier.Unpin(TestRecords.Key(0)));
        Assert.False(tier.Unpin(TestRecords.Key(0)));
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(number, KvLayout.Opaque(40_000)));
        Assert.Null(await tier.TryReadAsync(0));
    }

    [Fact]
    public async Task OpenAsync_WithALowerCap_EvictsDownToIt()
    {
        await using (var tier = await OpenAsync(Options()))
        {
            for (var number = 0; number < 100; number++)
            {
                await tier.PutAsync(number, KvLayout.Opaque(100_000));
            }
        }
        await using var lower = await OpenAsync(Options(2 * MiB));
        Assert.InRange(FileBytes(), 1, 2 * MiB);
        Assert.NotNull(await lower.TryReadAsync(99));
    }

    [Fact]
    public async Task OpenAsync_Twice_TheSecondIsToldWhoHasIt()
    {
        await using var first = await OpenAsync(Options());
        var error = await Assert.ThrowsAsync<DiskTierException>(() => OpenAsync(Options()));
        Assert.Contains(Environment.ProcessId.ToString(), error.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        await (await OpenAsync(Options())).DisposeAsync();
    }

    [Fact]
    public async Task ReadAndPutAsync_FromManySides_WhileRecordsAreEvictedAndMoved_GiveRightBytesOrAMiss()
    {
        await using var tier = await OpenAsync(Options(4 * MiB) with { SegmentBytes = 128 << 10, CompactionBytesPerSecond = 1L << 40 });
        var reads = 0;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var step = 0; step < 300; step++)
            {
                var number = random.Next(120);
                var layout = KvLayout.Opaque(10_000 + (number * 500));
                switch (random.Next(8))
                {
                    case 0:
                        await tier.DeleteAsync(number);
                        break;
                    case < 5:
                        await tier.PutAsync(number, layout);
                        break;
                    default:
                        foreach (var record in await tier.FindAsync(TestRecords.Key(number), CancellationToken.None))
                        {
                            var bytes = new byte[record.RecordBytes];
                            var read = await tier.ReadAsync(record, bytes, CancellationToken.None);
                            Assert.NotEqual(TierReadOutcome.Damaged, read.Outcome);
                            if (read.Outcome == TierReadOutcome.Read)
                            {
                                Assert.Equal(TestRecords.Record(number, layout).Record, bytes);
                                Interlocked.Increment(ref reads);
                            }
                        }
                        break;
                }
            }
        })));
        Assert.True(reads > 100);
        Assert.Equal(0, tier.Counts.Damaged);
        await tier.DisposeAsync(); // Ends the move that may be under way.
        tier.CheckIntegrity();
    }

    [Fact]
    public async Task PutAsync_CancelledWhileItWaits_LeavesNothingBehind()
    {
        await using var tier = await OpenAsync(Options());
        var (header, record) = TestRecords.Record(1, Layout);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tier.PutAsync(header, record, new CancellationToken(canceled: true)));
        Assert.Empty(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        tier.CheckIntegrity();
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(1));
    }

    [Fact]
    public async Task VerifyAsync_SomeDamaged_NamesThemAndDropsThemOnlyWhenAsked()
    {
        await using var tier = await OpenAsync(Options());
        for (var number = 0; number < 20; number++)
        {
            await tier.PutAsync(number, KvLayout.Opaque(1_200_000));
            if (number == 11)
            {
                Damage(tier, 1_100_000);
            }
        }
        var progress = new List<TierVerifyProgress>();
        var report = await tier.VerifyAsync(new TierVerifyOptions(), new Told(progress.Add), CancellationToken.None);
        var evicted = (int)tier.Counts.Evictions;
        Assert.Equal((20 - evicted, 12 - evicted), ((int)report.Records, (int)report.Damaged));
        Assert.All(report.Named, damaged => Assert.Equal("PayloadChecksum", damaged.Reason));
        Assert.Equal(report.Records, progress.Count);
        Assert.Equal(progress[^1].BytesTotal, progress[^1].Bytes);
        Assert.Equal(20 - evicted, (await tier.MeasureAsync(CancellationToken.None)).Records);

        await tier.VerifyAsync(new TierVerifyOptions { DropDamaged = true }, null, CancellationToken.None);
        Assert.Equal(8, (await tier.MeasureAsync(CancellationToken.None)).Records);
        Assert.Equal(0, (await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None)).Damaged);
    }

    private sealed class Told(Action<TierVerifyProgress> tell) : IProgress<TierVerifyProgress>
    {
        public void Report(TierVerifyProgress value) => tell(value);
    }
}
