using Ferry.Cache;
using Ferry.Cache.Remote.Hosting.Admin;
using Ferry.Cache.Remote.Hosting.Operations;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Hosting;

public sealed class ExportTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_ThenImport_BringsEveryByteOfEveryRecord()
    {
        await using var source = Open();
        var records = Fill(source, 20);
        var file = await ExportAsync(source);
        await using var target = Open();
        var importer = new RecordImporter(target, new RecordCacheOptions());
        await importer.ReadAsync(new MemoryStream(file), Token);
        Assert.Equal((20, 0), (importer.Imported, importer.Present));
        foreach (var (header, record) in records)
        {
            using var lease = target.Memory.TryLease(header.Key, header.Layout);
            Assert.Equal(record, lease!.Record.ToArray());
        }
    }

    [Fact]
    public async Task Export_OneRecordInSeveralTiers_IsWrittenOnce()
    {
        await using var shared = new FaultyTier();
        await using var source = Open(shared);
        foreach (var (header, _) in Fill(source, 3))
        {
            using var lease = source.Memory.TryLease(header.Key, header.Layout);
            source.StoreBehind(lease!);
        }
        await source.FlushAsync(Token);
        var check = new ExportCheck();
        Assert.Null(await check.CopyAsync(new MemoryStream(await ExportAsync(source)), null, static () => { }, Token));
        Assert.Equal(3, check.Records);
    }

    [Fact]
    public async Task Import_SecondTime_SkipsWhatIsThere()
    {
        await using var source = Open();
        Fill(source, 5);
        var file = await ExportAsync(source);
        var importer = new RecordImporter(source, new RecordCacheOptions());
        await importer.ReadAsync(new MemoryStream(file), Token);
        Assert.Equal((0, 5), (importer.Imported, importer.Present));
    }

    [Fact]
    public async Task Import_FileCutAtEveryPlace_KeepsWholeRecordsAndSaysThatItEnds()
    {
        await using var source = Open();
        Fill(source, 3);
        var file = await ExportAsync(source);
        for (var length = 0; length < file.Length; length += 97)
        {
            await using var target = Open();
            var importer = new RecordImporter(target, new RecordCacheOptions());
            var error = await Assert.ThrowsAsync<AdminException>(() => importer.ReadAsync(new MemoryStream(file, 0, length), Token));
            Assert.Contains("ends in the middle", error.Message, StringComparison.Ordinal);
            Assert.Equal(importer.Imported, target.Memory.Snapshot().Records);
            Assert.Contains("broke off", await new ExportCheck().CopyAsync(new MemoryStream(file, 0, length), null, static () => { }, Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Import_AnyByteFlipped_NeverBringsAWrongRecord()
    {
        await using var source = Open();
        var records = Fill(source, 2).ToDictionary(pair => pair.Header.Key, pair => pair.Record);
        var file = await ExportAsync(source);
        for (var index = 0; index < file.Length; index += 61)
        {
            var damaged = (byte[])file.Clone();
            damaged[index] ^= 0x10;
            await using var target = Open();
            var importer = new RecordImporter(target, new RecordCacheOptions());
            await Assert.ThrowsAsync<AdminException>(() => importer.ReadAsync(new MemoryStream(damaged), Token));
            Assert.NotNull(await new ExportCheck().CopyAsync(new MemoryStream(damaged), null, static () => { }, Token));
            foreach (var (key, record) in records)
            {
                using var lease = target.Memory.TryLease(key, TestRecords.Layout());
                Assert.True(lease is null || lease.Record.Span.SequenceEqual(record), $"byte {index}");
            }
        }
    }

    [Fact]
    public async Task Import_RecordLargerThanMemory_SaysSoAndTakesNothing()
    {
        await using var source = Open();
        var file = await ExportAsync(source, KvLayout.Opaque(300_000));
        await using var target = Open(memoryBytes: 256 << 10);
        var error = await Assert.ThrowsAsync<AdminException>(() => new RecordImporter(target, new RecordCacheOptions()).ReadAsync(new MemoryStream(file), Token));
        Assert.Equal(507, error.Status);
    }

    [Fact]
    public void Head_OfTheFormat_HasTheBytesOfThePage()
    {
        var head = new byte[ExportFormat.HeadBytes];
        ExportFormat.WriteHead(head);
        var tail = new byte[ExportFormat.TailBytes];
        ExportFormat.WriteTail(tail, 3, 5);
        Assert.Equal("46455252594558500100200000000000" + Convert.ToHexStringLower(head.AsSpan(16)), Convert.ToHexStringLower(head));
        Assert.Null(ExportFormat.FindHeadError(head));
        Assert.StartsWith("4645525259454e440300000000000000" + "05000000000000000000000000000000", Convert.ToHexStringLower(tail), StringComparison.Ordinal);
        Assert.Null(ExportFormat.FindTailError(tail, 3, 5));
        Assert.NotNull(ExportFormat.FindTailError(tail, 4, 5));
        Assert.NotNull(ExportFormat.FindTailError(tail, 3, 6));
    }

    private static RecordCache Open(FaultyTier? tier = null, long memoryBytes = 8 << 20) => new(
        TestRecords.Store(memoryBytes), tier is null ? [] : [tier], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);

    private static List<(KvRecordHeader Header, byte[] Record)> Fill(RecordCache cache, int count)
    {
        var records = new List<(KvRecordHeader, byte[])>();
        for (var number = 0; number < count; number++)
        {
            var (header, record) = TestRecords.Record(number, TestRecords.Layout());
            using var room = cache.Memory.TryReserve(record.Length)!;
            record.CopyTo(room.Record);
            room.CommitVerified(header).Dispose();
            records.Add((header, record));
        }
        return records;
    }

    private static async Task<byte[]> ExportAsync(RecordCache cache, KvLayout? layout = null)
    {
        if (layout is not null)
        {
            var (header, record) = TestRecords.Record(1, layout);
            using var room = cache.Memory.TryReserve(record.Length)!;
            record.CopyTo(room.Record);
            room.CommitVerified(header).Dispose();
        }
        var file = new MemoryStream();
        await new RecordExporter(cache).WriteAsync(file, Places.All(cache), "", Token);
        return file.ToArray();
    }
}
