using Ferry.Cache.Remote.Directory;
using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.Directory;

/// <summary>The process dies, or the power goes, at every change that a run makes; the next process finds what was stored and nothing torn.</summary>
public sealed class DirectoryTierCrashTests
{
    private static readonly KvLayout Layout = TestRecords.Layout();

    /// <summary>Of what a process did not hear the end of, either may be.</summary>
    private enum Promise
    {
        None,
        Present,
        Absent,
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Crash_AtEveryBoundary_LosesNothingStoredAndServesNothingTorn(bool flushToDisk, bool powerLoss)
    {
        var crashed = true;
        var boundaries = 0;
        for (var crashAt = 1; crashed; crashAt++, boundaries++)
        {
            var root = System.IO.Directory.CreateTempSubdirectory("ferry-crash-");
            try
            {
                var files = new CrashingFiles(crashAt);
                var promises = new Dictionary<int, Promise>();
                await RunAsync(root.FullName, files, flushToDisk, promises);
                crashed = files.IsCrashed;
                if (powerLoss)
                {
                    files.LosePower(crashAt);
                }
                await CheckAsync(root.FullName, promises, mayTear: powerLoss && !flushToDisk, $"boundary {crashAt}");
            }
            finally
            {
                root.Delete(recursive: true);
            }
        }
        Assert.InRange(boundaries, 70, 1000); // Of a run with nine puts and two deletes.
    }

    private static async Task RunAsync(string path, CrashingFiles files, bool flushToDisk, Dictionary<int, Promise> promises)
    {
        var tier = new DirectoryTier(
            new DirectoryTierOptions { Path = path, FlushToDisk = flushToDisk }, files, TimeProvider.System, NullLogger<DirectoryTier>.Instance);
        try
        {
            foreach (var number in (int[])[1, 2, 3, 1, 4])
            {
                await PutAsync(tier, number, promises);
            }
            foreach (var number in (int[])[1, 3])
            {
                promises[number] = Promise.None;
                // A file that the dead process could not delete is left, and said to be so: not an error.
                var deleted = await tier.DeleteAsync(TestRecords.Key(number), CancellationToken.None);
                promises[number] = files.IsCrashed ? Promise.None : deleted == 1 ? Promise.Absent : throw new InvalidOperationException($"{deleted} records deleted.");
            }
            foreach (var number in (int[])[3, 5, 6])
            {
                await PutAsync(tier, number, promises);
            }
        }
        catch (IOException) when (files.IsCrashed)
        {
            // Whoever waited for it knows nothing.
        }
        finally
        {
            await tier.DisposeAsync();
        }
    }

    private static async Task PutAsync(DirectoryTier tier, int number, Dictionary<int, Promise> promises)
    {
        if (promises.GetValueOrDefault(number) != Promise.Present) // What is there stays whole, whatever becomes of the next put.
        {
            promises[number] = Promise.None;
        }
        var (header, record) = TestRecords.Record(number, Layout);
        var outcome = await tier.PutAsync(header, record, CancellationToken.None);
        Assert.Contains(outcome, (TierPutOutcome[])[TierPutOutcome.Stored, TierPutOutcome.Present]);
        promises[number] = Promise.Present;
    }

    private static async Task CheckAsync(string path, Dictionary<int, Promise> promises, bool mayTear, string when)
    {
        // Two hours later, so that what was left half written counts as abandoned.
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(2));
        await using var tier = new DirectoryTier(new DirectoryTierOptions { Path = path }, time, NullLogger<DirectoryTier>.Instance);
        foreach (var (number, promise) in promises)
        {
            var isThere = await IsThereAsync(tier, number, mayTear, when);
            Assert.False(promise == Promise.Absent && isThere, $"{when}: {number} came back.");
            Assert.True(promise != Promise.Present || isThere || mayTear, $"{when}: {number} is lost.");
        }
        for (var number = 1; number <= 7; number++)
        {
            await PutAsync(tier, number, promises);
            Assert.True(await IsThereAsync(tier, number, mayTear: false, when), $"{when}: {number} cannot be stored again.");
        }
        var listed = await tier.ListAsync(CancellationToken.None).ToListAsync();
        Assert.Equal(7, listed.Count);
        Assert.Empty(System.IO.Directory.GetFiles(Path.Combine(path, "ferry-kv-1", "incoming")));
    }

    /// <summary>Whether the record is served; other bytes than were put never are.</summary>
    private static async Task<bool> IsThereAsync(DirectoryTier tier, int number, bool mayTear, string when)
    {
        var found = await tier.FindAsync(TestRecords.Key(number), CancellationToken.None);
        if (found.Count == 0)
        {
            return false;
        }
        var bytes = new byte[Assert.Single(found).RecordBytes];
        var read = await tier.ReadAsync(found[0], bytes, CancellationToken.None);
        if (read.Outcome == TierReadOutcome.Damaged && mayTear)
        {
            Assert.Empty(await tier.FindAsync(TestRecords.Key(number), CancellationToken.None)); // Found by its checksum, and gone.
            return false;
        }
        Assert.True(read.Outcome == TierReadOutcome.Read, $"{when}: {number} is {read.Outcome}.");
        Assert.Equal(TestRecords.Record(number, Layout).Record, bytes);
        return true;
    }
}
