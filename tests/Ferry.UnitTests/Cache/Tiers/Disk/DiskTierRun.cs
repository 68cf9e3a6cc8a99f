using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Disk;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

/// <summary>What the tests of the disk tier do with it.</summary>
internal static class DiskTierRun
{
    /// <summary>5 KiB: two pages on disk.</summary>
    public static readonly KvLayout Layout = TestRecords.Layout();

    public static DiskTierOptions Options(long capacityBytes = 4 << 20, DiskSyncPolicy sync = DiskSyncPolicy.Every) => new()
    {
        Path = "/faulty",
        CapacityBytes = capacityBytes,
        SegmentBytes = 64 << 10,
        Sync = sync,
        ReadDepth = 1,
        WriteDepth = 1,
    };

    public static Task<DiskTier> OpenAsync(FaultyDisk disk, DiskTierOptions options, TimeProvider? time = null, ILogger? logger = null, bool tidy = false) =>
        disk.OpenAsync(options, time ?? TimeProvider.System, logger ?? NullLogger.Instance, tidy);

    public static Task<TierPutOutcome> PutAsync(this DiskTier tier, int number, KvLayout? layout = null, int? seed = null)
    {
        var (header, record) = TestRecords.Record(number, layout ?? Layout, seed);
        return tier.PutAsync(header, record, CancellationToken.None);
    }

    /// <summary>The chunk's only record, proved; null when there is none.</summary>
    public static async Task<byte[]?> TryReadAsync(this DiskTier tier, int number)
    {
        var found = await tier.FindAsync(TestRecords.Key(number), CancellationToken.None);
        if (found.Count == 0)
        {
            return null;
        }
        var record = Assert.Single(found);
        var bytes = new byte[record.RecordBytes];
        var read = await tier.ReadAsync(record, bytes, CancellationToken.None);
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.True(KvRecord.TryRead(bytes, out var header, out _));
        Assert.Equal(TestRecords.Key(number), header.Key);
        return bytes;
    }

    public static Task<int> DeleteAsync(this DiskTier tier, int number) => tier.DeleteAsync(TestRecords.Key(number), CancellationToken.None);

    /// <summary>All that the background would do by itself.</summary>
    public static async Task TidyAllAsync(this DiskTier tier)
    {
        for (var round = 0; round < 32 && await tier.TidyAsync(CancellationToken.None); round++)
        {
        }
    }
}
