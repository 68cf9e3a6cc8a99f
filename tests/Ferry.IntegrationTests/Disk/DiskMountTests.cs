using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Disk;

/// <summary>Real errors of a real file system.</summary>
public sealed class DiskMountTests
{
    private const string NoMount = "mounting a tmpfs is not allowed here";
    private static readonly KvLayout Layout = KvLayout.Opaque(500_000);

    private static Task<DiskTier> OpenAsync(string path) => DiskTier.OpenAsync(
        new DiskTierOptions
        {
            Path = path,
            CapacityBytes = 64 << 20,
            SegmentBytes = 1 << 20,
            Sync = DiskSyncPolicy.Every,
            RetryAfter = TimeSpan.FromMilliseconds(1),
            RetryAfterMax = TimeSpan.FromMilliseconds(20),
        },
        TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);

    private static Task<TierPutOutcome> PutAsync(DiskTier tier, int number)
    {
        var (header, record) = TestRecords.Record(number, Layout);
        return tier.PutAsync(header, record, CancellationToken.None);
    }

    private static async Task PutUntilStoredAsync(DiskTier tier, int number)
    {
        for (var tries = 0; tries < 500; tries++)
        {
            if (await PutAsync(tier, number) == TierPutOutcome.Stored)
            {
                return;
            }
            await Task.Delay(20);
        }
        Assert.Fail("Writing did not come back.");
    }

    private static async Task<bool> IsThereAsync(DiskTier tier, int number)
    {
        var found = await tier.FindAsync(TestRecords.Key(number), CancellationToken.None);
        return found.Count == 1 && (await tier.ReadAsync(found[0], new byte[found[0].RecordBytes], CancellationToken.None)).Outcome == TierReadOutcome.Read;
    }

    [Fact]
    public async Task FullFileSystem_TurnsWritingOffAndOnAgainWithoutARestart()
    {
        using var mount = TemporaryMount.TryMake(16);
        Assert.SkipWhen(mount is null, NoMount);
        await using var tier = await OpenAsync(mount.Path);
        Assert.False(tier.Snapshot().DirectIo.IsUsed);
        var stored = 0;
        while (await PutAsync(tier, stored) is var outcome && outcome == TierPutOutcome.Stored)
        {
            stored++;
        }
        Assert.InRange(stored, 20, 33);
        Assert.Equal(TierPutOutcome.Full, await PutAsync(tier, 100));
        Assert.NotNull(tier.Snapshot().WritesOff);
        for (var number = 0; number < stored; number++)
        {
            Assert.True(await IsThereAsync(tier, number));
        }

        for (var number = 0; number < 4; number++)
        {
            await tier.DeleteAsync(TestRecords.Key(number), CancellationToken.None);
        }
        await tier.TidyAsync(CancellationToken.None);
        await PutUntilStoredAsync(tier, 101);
        Assert.Null(tier.Snapshot().WritesOff);
        Assert.True(await IsThereAsync(tier, 101));
    }

    [Fact]
    public async Task ReadOnlyFileSystem_ServesAndTakesRecordsAgainWhenItMay()
    {
        using var mount = TemporaryMount.TryMake(16);
        Assert.SkipWhen(mount is null, NoMount);
        await using (var tier = await OpenAsync(mount.Path))
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1));
        }
        mount.Remount(writable: false);
        await using (var tier = await OpenAsync(mount.Path))
        {
            Assert.True(await IsThereAsync(tier, 1));
            Assert.Equal(TierPutOutcome.ReadOnly, await PutAsync(tier, 2));
            mount.Remount(writable: true);
            await PutUntilStoredAsync(tier, 2);
            Assert.True(await IsThereAsync(tier, 1) && await IsThereAsync(tier, 2));
        }
        mount.Remount(writable: false);
        await using var again = await OpenAsync(mount.Path);
        Assert.True(await IsThereAsync(again, 1) && await IsThereAsync(again, 2));
    }
}
