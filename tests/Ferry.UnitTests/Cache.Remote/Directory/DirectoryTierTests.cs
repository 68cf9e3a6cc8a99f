using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Directory;
using Ferry.Cache.Tiers;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.Directory;

public sealed class DirectoryTierTests : CappedTierContract, IDisposable
{
    private readonly string _path = System.IO.Directory.CreateTempSubdirectory("ferry-tier-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));

    public void Dispose() => System.IO.Directory.Delete(_path, recursive: true);

    protected override IKvTier Open() => Open(null);

    protected override IKvTier OpenCapped() => Open(CapacityBytes);

    protected override void Damage(IKvTier tier, int byteIndex)
    {
        foreach (var file in Files())
        {
            var bytes = File.ReadAllBytes(file);
            bytes[byteIndex] ^= 0x10;
            File.WriteAllBytes(file, bytes);
        }
    }

    private DirectoryTier Open(long? capacityBytes, bool flushToDisk = false) => new(
        new DirectoryTierOptions { Path = _path, CapacityBytes = capacityBytes, FlushToDisk = flushToDisk }, _time, NullLogger<DirectoryTier>.Instance);

    private string[] Files() => System.IO.Directory.GetFiles(_path, "*.kv", SearchOption.AllDirectories);

    private static async Task<bool> IsThereAsync(DirectoryTier tier, int number)
    {
        foreach (var record in await tier.FindAsync(TestRecords.Key(number), CancellationToken.None))
        {
            if ((await ReadAsync(tier, record)).Read.Outcome == TierReadOutcome.Read)
            {
                return true;
            }
        }
        return false;
    }

    [Fact]
    public async Task FindAsync_ByAnotherNodeOnTheSameDirectory_SeesTheRecord()
    {
        await using var first = Open(null, flushToDisk: true);
        await using var second = Open(null);
        await PutAsync(first, 1, Layout);
        Assert.True(await IsThereAsync(second, 1));
    }

    [Fact]
    public async Task PutAsync_Capped_DeletesTheLeastRecentlyUsedAndNeverExceeds()
    {
        await using var tier = Open(5L * RecordBytes);
        for (var number = 0; number < 5; number++)
        {
            await PutAsync(tier, number, Layout);
            File.SetLastWriteTimeUtc(Files().Single(file => file.Contains(TestRecords.Hash(number).ToString(), StringComparison.Ordinal)), _time.GetUtcNow().UtcDateTime);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.True(await IsThereAsync(tier, 0)); // A read is a use.
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 5, Layout));

        Assert.False(await IsThereAsync(tier, 1));
        Assert.True(await IsThereAsync(tier, 0) && await IsThereAsync(tier, 5));
        Assert.True(Files().Sum(file => new FileInfo(file).Length) <= 5L * RecordBytes);
        Assert.True(tier.Counts.Evictions > 0);
    }

    [Fact]
    public async Task PutAsync_OthersFilledTheDirectoryMeanwhile_StaysWithinTheCap()
    {
        await using var capped = Open(4L * RecordBytes);
        await using var uncapped = Open(null);
        await PutAsync(capped, 0, Layout);
        for (var number = 1; number < 10; number++)
        {
            await PutAsync(uncapped, number, Layout);
        }
        for (var number = 20; number < 24; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(capped, number, Layout));
        }
        Assert.True((await capped.MeasureAsync(CancellationToken.None)).Bytes <= 4L * RecordBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(512)]
    [InlineData(4000)]
    public async Task ReadAsync_TruncatedFile_IsDamagedAndDeleted(int lengthBytes)
    {
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout);
        using (var file = File.OpenWrite(Files().Single()))
        {
            file.SetLength(lengthBytes);
        }
        var found = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Equal(TierReadOutcome.Damaged, (await ReadAsync(tier, found)).Read.Outcome);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task ReadAsync_FileRenamedToAnotherChunk_IsDamaged()
    {
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout);
        await PutAsync(tier, 2, Layout);
        var (one, two) = (Files().Single(file => file.Contains(TestRecords.Hash(1).ToString(), StringComparison.Ordinal)),
            Files().Single(file => file.Contains(TestRecords.Hash(2).ToString(), StringComparison.Ordinal)));
        File.Copy(one, two, overwrite: true);

        Assert.False(await IsThereAsync(tier, 2));
        Assert.True(await IsThereAsync(tier, 1));
    }

    [Fact]
    public async Task ForeignFiles_InEveryPlace_AreNeitherFoundNorCountedNorDeleted()
    {
        await using var tier = Open(2L * RecordBytes);
        await PutAsync(tier, 1, Layout);
        var chunk = Path.GetDirectoryName(Files().Single())!;
        string[] foreign =
        [
            Path.Combine(_path, "notes.txt"), Path.Combine(chunk, "README"), Path.Combine(chunk, "0-4-4-zzzzzzzzzzzzzzzz.kv"),
            Path.Combine(chunk, "0-04-4-0123456789abcdef.kv"), Path.Combine(chunk, "-1-4-4-0123456789abcdef.kv"), Path.Combine(chunk, "3-4-4-0123456789abcdef.kv"),
        ];
        Array.ForEach(foreign, file => File.WriteAllBytes(file, new byte[10 * RecordBytes]));
        await PutAsync(tier, 2, Layout);
        await PutAsync(tier, 3, Layout);

        Assert.All(foreign, file => Assert.True(File.Exists(file)));
        Assert.True((await tier.MeasureAsync(CancellationToken.None)).Bytes <= 2L * RecordBytes);
        Assert.Single(await tier.FindAsync(TestRecords.Key(3), CancellationToken.None));
    }

    [Theory]
    [InlineData("../../../etc")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("..")]
    [InlineData("\0")]
    public async Task PutAsync_SaltThatLooksLikeAPath_StaysInsideTheRoot(string salt)
    {
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout, salt);
        var file = Assert.Single(Files());
        Assert.StartsWith(_path + Path.DirectorySeparatorChar, Path.GetFullPath(file));
        Assert.Matches("/ferry-kv-1/[0-9a-f]{32}/[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{64}/[0-9]+-[0-9]+-[0-9]+-[0-9a-f]{16}\\.kv$", file);
    }

    [Fact]
    public async Task PutAsync_LinkInsideTheRoot_IsNotFollowedByTheWalk()
    {
        var outside = System.IO.Directory.CreateTempSubdirectory("ferry-outside-");
        try
        {
            await using var tier = Open(2L * RecordBytes);
            await PutAsync(tier, 1, Layout);
            var model = System.IO.Directory.GetDirectories(Path.Combine(_path, "ferry-kv-1")).Single(path => Path.GetFileName(path).Length == 32);
            var moved = Path.Combine(outside.FullName, "moved");
            System.IO.Directory.Move(model, moved);
            System.IO.Directory.CreateSymbolicLink(model, moved);
            Assert.Equal(0, (await tier.MeasureAsync(CancellationToken.None)).Records);
        }
        finally
        {
            outside.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Guard_OverADirectoryThatIsAFile_IsAMissAndTurnsWritingOff()
    {
        var file = Path.Combine(_path, "file");
        File.WriteAllText(file, "");
        await using var guard = new GuardedTier(
            new DirectoryTier(new DirectoryTierOptions { Path = file }, _time, NullLogger<DirectoryTier>.Instance),
            new TierGuardOptions { FailuresToOpen = 2, Deadline = TimeSpan.FromMinutes(1) }, _time, NullLogger<GuardedTier>.Instance);
        var (header, record) = TestRecords.Record(1, Layout);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.Equal(TierPutOutcome.Unavailable, await guard.PutAsync(header, record, CancellationToken.None));
            Assert.Empty(await guard.FindAsync(TestRecords.Key(1), CancellationToken.None));
        }
        Assert.True(guard.IsWritingOff);
        Assert.False(guard.IsReadingOff);
    }

    [Fact]
    public async Task PutAsync_FilesLeftByADeadProcess_AreClearedWhenOldAndLeftWhenYoung()
    {
        var incoming = System.IO.Directory.CreateDirectory(Path.Combine(_path, "ferry-kv-1", "incoming"));
        var (old, young, foreign) = (Path.Combine(incoming.FullName, Guid.NewGuid().ToString("n")),
            Path.Combine(incoming.FullName, Guid.NewGuid().ToString("n")), Path.Combine(incoming.FullName, "mine"));
        foreach (var (file, age) in new[] { (old, 2.0), (young, 0.5), (foreign, 2.0) })
        {
            File.WriteAllText(file, "half a record");
            File.SetLastWriteTimeUtc(file, (_time.GetUtcNow() - TimeSpan.FromHours(age)).UtcDateTime);
        }
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout);

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(young) && File.Exists(foreign));
    }

    [Fact]
    public async Task PutAsync_Cancelled_LeavesNothingBehind()
    {
        await using var tier = Open(10L * RecordBytes);
        var (header, record) = TestRecords.Record(1, Layout);
        await PutAsync(tier, 2, Layout);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tier.PutAsync(header, record, cancelled.Token));
        Assert.Single(Files());
        Assert.Empty(System.IO.Directory.GetFiles(Path.Combine(_path, "ferry-kv-1", "incoming")));
    }

    [Fact]
    public async Task FindAsync_RecordNobodyReadForLong_IsAMissAndOneThatWasReadIsNot()
    {
        await using var tier = new DirectoryTier(
            new DirectoryTierOptions { Path = _path, ExpireAfter = TimeSpan.FromMinutes(10) }, _time, NullLogger<DirectoryTier>.Instance);
        foreach (var number in new[] { 1, 2 })
        {
            await PutAsync(tier, number, Layout);
            File.SetLastWriteTimeUtc(Files().Single(file => file.Contains(TestRecords.Hash(number).ToString(), StringComparison.Ordinal)), _time.GetUtcNow().UtcDateTime);
        }
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await IsThereAsync(tier, 1));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await IsThereAsync(tier, 1));
        Assert.False(await IsThereAsync(tier, 2));
    }

    [Fact]
    public async Task VerifyAsync_OneOfThreeDamaged_NamesItAndDropsItWhenAsked()
    {
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout);
        Damage(tier, 2000);
        await PutAsync(tier, 2, Layout);
        await PutAsync(tier, 3, Layout, salt: "tenant");

        var report = await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None);
        Assert.Equal((3L, 3L * RecordBytes, 1L), (report.Records, report.Bytes, report.Damaged));
        Assert.Contains(TestRecords.Hash(1).ToString(), Assert.Single(report.Named).Location);
        Assert.Equal(1, (await tier.VerifyAsync(new TierVerifyOptions { DropDamaged = true, DamagedNamedMax = 0 }, null, CancellationToken.None)).Damaged);
        Assert.Equal((2L, 0L), ((await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None)).Records, (await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None)).Damaged));
        await Assert.ThrowsAsync<ArgumentException>(() => tier.VerifyAsync(new TierVerifyOptions { Parallelism = 0 }, null, CancellationToken.None));
    }

    [Fact]
    public async Task ClearAsync_OneSalt_LeavesTheOthers()
    {
        await using var tier = Open(null);
        await PutAsync(tier, 1, Layout);
        await PutAsync(tier, 2, Layout, salt: "tenant");
        Assert.Equal(1, await tier.ClearAsync("tenant", CancellationToken.None));
        Assert.True(await IsThereAsync(tier, 1));
        Assert.Equal(1, await tier.ClearAsync(null, CancellationToken.None));
        Assert.Empty(Files());
    }

    [Theory]
    [InlineData("file:///var/cache/ferry", null)]
    [InlineData("/var/cache/ferry", "write a URL such as file:///")]
    [InlineData("file:/var/cache", "write a URL such as file:///")]
    [InlineData("file://host/share", "three slashes")]
    [InlineData("file:///x?capacity=1", "nothing after the path")]
    [InlineData("gopher://bucket/x", "must be one of: file")]
    [InlineData("", "write a URL")]
    public void FindError_Url_SaysWhatIsWrongAndTheWayOut(string url, string? named)
    {
        var error = RemoteTiers.FindError(url);
        if (named is null)
        {
            Assert.Null(error);
        }
        else
        {
            Assert.Contains(named, error);
            Assert.Throws<ArgumentException>(() => RemoteTiers.Open(url, new RemoteTierOptions(), _time, NullLoggerFactory.Instance));
        }
    }

    [Fact]
    public async Task Open_FileUrlWithSpaces_NamesTheDirectory()
    {
        var directory = Path.Combine(_path, "a b");
        await using var tier = RemoteTiers.Open(new Uri(directory).AbsoluteUri, new RemoteTierOptions(), _time, NullLoggerFactory.Instance);
        await PutAsync(tier, 1, Layout);
        Assert.Single(System.IO.Directory.GetFiles(directory, "*.kv", SearchOption.AllDirectories));
    }
}
