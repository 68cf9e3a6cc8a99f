using CsCheck;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Disk;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

public sealed class DiskFormatTests
{
    private static readonly Guid Id = new(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"));

    private static byte[] Header(int number = 7)
    {
        var page = new byte[SegmentHeader.HeaderBytes];
        new SegmentHeader(number, Id, 1_700_000_000).Write(page);
        return page;
    }

    private static byte[] Entry()
    {
        var header = new KvRecordHeader(
            TestRecords.Layout(1, 2), TestRecords.Model, 0, TestRecords.Hash(5), "tenant-ü", TestRecords.Layout(1, 2).PayloadBytes, 99);
        var entry = new byte[SegmentIndex.EntryBytes];
        SegmentEntry.WriteRecord(entry, new SegmentHeader(7, Id, 0).Seed, 3, header, (UInt128)0x1122334455667788 << 64, 42, 6, 1_700_000_001);
        return entry;
    }

    [Fact]
    public void HeaderCheckpointAndEntry_WriteTheGoldenBytes()
    {
        var checkpoint = new byte[SegmentCheckpoint.CheckpointBytes];
        SegmentCheckpoint.Write(new SegmentHeader(7, Id, 0).Seed, 16, checkpoint);
        var block = new byte[SegmentIndex.EntryBytes];
        SegmentEntry.WriteBlock(block, new SegmentHeader(7, Id, 0).Seed, 15, 32, 8192);
        string[] lines =
        [
            .. Lines("header", Header()), .. Lines("checkpoint", checkpoint), .. Lines("record", Entry()), .. Lines("block", block),
        ];
        Assert.Equal(File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "tests/data/records/disk-v1.hex")), lines);
    }

    [Fact]
    public void GoldenBytes_StandInTheDocument()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs/wire/disk.md"));
        Assert.Contains(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/data/records/disk-v1.hex")), page, StringComparison.Ordinal);
    }

    [Fact]
    public void TryRead_Entry_GivesBackWhatWasWritten()
    {
        Assert.True(SegmentEntry.TryRead(Entry(), new SegmentHeader(7, Id, 0).Seed, 3, out var entry));
        Assert.Equal((42L, 6u, 1_700_000_001u), (entry.Sequence, entry.Page, entry.WrittenUnixSeconds));
        Assert.Equal("tenant-ü", entry.Key.Salt);
        Assert.Equal(new ChunkHash(TestRecords.Hash(5).Bytes), entry.Key.Hash);
        Assert.Equal(TestRecords.Layout(1, 2), LayoutCode.Read(entry.Layout, entry.ByteCount));
    }

    [Fact]
    public void TryRead_EntryInAnotherSlotOrSegmentOrWithAnyBitFlipped_IsNone()
    {
        var seed = new SegmentHeader(7, Id, 0).Seed;
        Assert.False(SegmentEntry.TryRead(Entry(), seed, 4, out _));
        Assert.False(SegmentEntry.TryRead(Entry(), seed + 1000, 3, out _));
        for (var bit = 0; bit < SegmentIndex.EntryBytes * 8; bit++)
        {
            var entry = Entry();
            entry[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SegmentEntry.TryRead(entry, seed, 3, out _));
        }
    }

    [Fact]
    public void LayoutCode_AnyLayout_ReadsBack() => Gen.Select(
            Gen.Int[1, 64], Gen.Int[1, 16], Gen.Int[1, 300], Gen.Int[0, 3], Gen.Bool, (layers, heads, tokens, order, major) => (layers, heads, tokens, order, major))
        .Sample(drawn =>
        {
            var layout = TestRecords.Layout(0, heads: 4, drawn.tokens) with
            {
                Layers = drawn.layers,
                HeadDim = drawn.heads * 8,
                BlockMajor = drawn.major && drawn.order == 0,
                Order = drawn.order % 2 == 0 ? KvOrder.Hnd : KvOrder.Nhd,
            };
            var code = new byte[LayoutCode.CodeBytes];
            LayoutCode.Write(layout, code);
            Assert.Equal(layout, LayoutCode.Read(code, KvRecord.HeaderBytes + layout.PayloadBytes));
        }, iter: 200);

    [Fact]
    public async Task OpenAsync_SegmentOfAnyBytes_NeverThrowsHangsOrServesAnything()
    {
        var valid = await SegmentAsync();
        await Gen.Select(Gen.Byte.Array[0, 64], Gen.Int[0, valid.Length - 1], Gen.Int[0, 3], Gen.Int[0, valid.Length]).SampleAsync(async (bytes, at, kind, length) =>
        {
            var file = kind == 0 ? [.. bytes] : valid[..(kind == 1 ? length : valid.Length)];
            if (kind >= 2)
            {
                // Kind 2 anywhere; kind 3 where the index is.
                bytes.AsSpan(0, Math.Min(bytes.Length, file.Length - at)).CopyTo(file.AsSpan(kind == 3 ? at % 8128 : at));
            }
            var disk = new FaultyDisk();
            disk.Add(DirectoryFormat.FileName, DirectoryFormat.Content.ToArray());
            disk.Add("000000000001.seg", file);
            try
            {
                await using var tier = await DiskTierRun.OpenAsync(disk, DiskTierRun.Options());
                for (var number = 0; number < 20; number++)
                {
                    foreach (var record in await tier.FindAsync(TestRecords.Key(number), CancellationToken.None))
                    {
                        var read = new byte[record.RecordBytes];
                        var outcome = await tier.ReadAsync(record, read, CancellationToken.None);
                        Assert.True(outcome.Outcome != TierReadOutcome.Read || read.AsSpan().SequenceEqual(TestRecords.Record(number, DiskTierRun.Layout).Record));
                    }
                }
            }
            catch (DiskTierException error)
            {
                Assert.Contains("another format version", error.Message, StringComparison.Ordinal); // The two bytes of the version were hit.
            }
        }, iter: 300, threads: 1);
    }

    [Theory]
    [InlineData("ferry disk tier, format 2\n", "has format 2; this version of Ferry reads format 1")]
    [InlineData("something else", "does not say a format")]
    [InlineData("", "does not say a format")]
    public async Task OpenAsync_OtherFormat_IsRefusedAndNothingIsTouched(string content, string expected)
    {
        var disk = new FaultyDisk();
        disk.Add(DirectoryFormat.FileName, System.Text.Encoding.ASCII.GetBytes(content));
        disk.Add("000000000001.seg", [1, 2, 3]);
        disk.Add("x.new", [4]);
        var error = await Assert.ThrowsAsync<DiskTierException>(() => DiskTierRun.OpenAsync(disk, DiskTierRun.Options()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal((0, 3), (disk.Changes, disk.Names.Count));
    }

    [Fact]
    public async Task OpenAsync_DirectoryOfSomebodyElse_IsRefusedAndNothingIsTouched()
    {
        var disk = new FaultyDisk();
        disk.Add("thesis.doc", [1]);
        var error = await Assert.ThrowsAsync<DiskTierException>(() => DiskTierRun.OpenAsync(disk, DiskTierRun.Options()));
        Assert.Contains("\"thesis.doc\"", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, disk.Changes);
    }

    [Fact]
    public async Task OpenAsync_SegmentOfANewerVersion_IsRefusedAndNothingIsTouched()
    {
        var newer = Header(1);
        newer[8] = 2;
        var disk = new FaultyDisk();
        disk.Add(DirectoryFormat.FileName, DirectoryFormat.Content.ToArray());
        disk.Add("000000000001.seg", newer);
        disk.Add("000000000002.seg", [1, 2, 3]);
        await Assert.ThrowsAsync<DiskTierException>(() => DiskTierRun.OpenAsync(disk, DiskTierRun.Options()));
        Assert.Equal((0, 3), (disk.Changes, disk.Names.Count));
    }

    [Fact]
    public void Validate_EverythingWrong_NamesEveryErrorAtOnce()
    {
        var options = new DiskTierOptions
        {
            Path = "relative",
            CapacityBytes = 10,
            SegmentBytes = 5,
            Sync = (DiskSyncPolicy)9,
            SyncInterval = TimeSpan.Zero,
            ReadDepth = 0,
            WriteDepth = 1000,
            QueueMax = 0,
            PinsMax = -1,
            CompactionBytesPerSecond = 1,
            Policy = "lrru",
            RetryAfter = TimeSpan.Zero,
        };
        var errors = options.Validate();
        Assert.Equal(12, errors.Count);
        Assert.Contains(errors, error => error.Contains("Did you mean lru?", StringComparison.Ordinal));
        Assert.Empty(new DiskTierOptions { Path = "/x", CapacityBytes = 1 << 20 }.Validate());
    }

    private static async Task<byte[]> SegmentAsync()
    {
        var disk = new FaultyDisk();
        await using (var tier = await DiskTierRun.OpenAsync(disk, DiskTierRun.Options()))
        {
            for (var number = 0; number < 7; number++)
            {
                await tier.PutAsync(number);
            }
        }
        return disk.ReadAll("000000000001.seg");
    }

    private static IEnumerable<string> Lines(string name, byte[] bytes) => bytes.Chunk(32).Select((chunk, index) => (chunk, index))
        .Where(line => line.chunk.AsSpan().ContainsAnyExcept((byte)0))
        .Select(line => $"{name} {line.index * 32:d3}: {Convert.ToHexStringLower(line.chunk)}");
}
