using Ferry.Cache.Remote.S3;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Time.Testing;

namespace Ferry.IntegrationTests.Remote.S3;

/// <summary>The contract of tiers and the S3 tier's own promises, against a real Ceph.</summary>
[Collection(CephFixture.Collection)]
public sealed class S3TierTests(CephFixture ceph) : CappedTierContract
{
    private readonly string _prefix = CephFixture.NextPrefix();

    protected override IKvTier Open() => CephFixture.Open(Options());

    protected override IKvTier OpenCapped() => CephFixture.Open(Options() with { CapacityBytes = CapacityBytes });

    protected override void Damage(IKvTier tier, int byteIndex) => DamageAsync(tier, byteIndex).GetAwaiter().GetResult();

    private S3TierOptions Options() => CephFixture.Options(ceph.Location(prefix: _prefix));

    private async Task DamageAsync(IKvTier tier, int byteIndex)
    {
        using var bucket = new S3Bucket(Options(), TimeProvider.System);
        await foreach (var record in tier.ListAsync(CancellationToken.None))
        {
            var bytes = new byte[record.RecordBytes];
            await bucket.TryGetAsync(record.Location, bytes, CancellationToken.None);
            bytes[byteIndex] ^= 0x10;
            await bucket.PutAsync(record.Location, bytes, onlyIfAbsent: false, CancellationToken.None);
        }
    }

    private static async Task<bool> IsThereAsync(IKvTier tier, int number) =>
        await tier.FindAsync(TestRecords.Key(number), CancellationToken.None) is { Count: > 0 } found && (await ReadAsync(tier, found[0])).Read.Outcome == TierReadOutcome.Read;

    [Fact]
    public async Task FindManyAsync_Chain_AnswersEachKeyInOrder()
    {
        await using var tier = Open();
        for (var number = 0; number < 20; number++)
        {
            await PutAsync(tier, number, Layout);
        }
        KvKey[] keys = [.. Enumerable.Range(0, 25).Select(number => TestRecords.Key(number))];
        var found = await tier.FindManyAsync(keys, CancellationToken.None);
        Assert.Equal(keys.Length, found.Count);
        Assert.All(found.Take(20).Zip(keys), pair => Assert.Equal(pair.Second, Assert.Single(pair.First).Key));
        Assert.All(found.Skip(20), Assert.Empty);
    }

    [Fact]
    public async Task PutAsync_Capped_DeletesTheOldestAndNeverExceeds()
    {
        await using var tier = CephFixture.Open(Options() with { CapacityBytes = 5L * RecordBytes });
        for (var number = 0; number < 8; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, number, Layout));
            Assert.True((await tier.MeasureAsync(CancellationToken.None)).Bytes <= 5L * RecordBytes);
        }
        Assert.False(await IsThereAsync(tier, 0));
        Assert.True(await IsThereAsync(tier, 7));
        Assert.True(tier.Counts.Evictions >= 3);
    }

    [Fact]
    public async Task MeasureAsync_OfWhatAnotherNodeWrote_CountsIt()
    {
        await using var mine = Open();
        await using var other = Open();
        await PutAsync(other, 1, Layout);
        Assert.Equal((1L, (long)RecordBytes), ((await mine.MeasureAsync(CancellationToken.None)).Records, (await mine.MeasureAsync(CancellationToken.None)).Bytes));
    }

    [Fact]
    public async Task FindAsync_RecordOlderThanItsExpiry_IsAMissAndIsDeleted()
    {
        await using (var tier = Open())
        {
            await PutAsync(tier, 1, Layout);
        }
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow + TimeSpan.FromMinutes(10)); // The store's clock is not ours to move.
        await using var later = CephFixture.Open(Options() with { ExpireAfter = TimeSpan.FromMinutes(5) }, time);
        Assert.Empty(await later.FindAsync(TestRecords.Key(1), CancellationToken.None));
        for (var looks = 0; looks < 600 && (await later.MeasureAsync(CancellationToken.None)).Records > 0; looks++)
        {
            await Task.Delay(50);
        }
        Assert.Equal(0, (await later.MeasureAsync(CancellationToken.None)).Records);
    }

    [Fact]
    public async Task ClearAsync_OneSalt_LeavesTheOthers()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout);
        await PutAsync(tier, 2, Layout, salt: "tenant");
        await PutAsync(tier, 3, Layout, salt: "tenant");
        Assert.Equal(2, await tier.ClearAsync("tenant", CancellationToken.None));
        Assert.True(await IsThereAsync(tier, 1));
        Assert.Equal(1, await tier.ClearAsync(null, CancellationToken.None));
        Assert.Equal(0, (await tier.MeasureAsync(CancellationToken.None)).Records);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PutAndRead_LargeRecordInParts_GiveTheSameBytes(bool signPayload)
    {
        await using var tier = CephFixture.Open(Options() with { MultipartFromBytes = 12 << 20, RangesFromBytes = 12 << 20, PartBytes = 5 << 20, SignPayload = signPayload });
        var layout = TestRecords.Layout(tokens: 128 << 10); // 16 MiB: three parts of 5 MiB and a rest.
        var (header, record) = TestRecords.Record(1, layout);
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(header, record, CancellationToken.None));
        Assert.Equal(TierPutOutcome.Present, await tier.PutAsync(header, record, CancellationToken.None));

        var (read, bytes) = await ReadAsync(tier, Assert.Single(await tier.FindAsync(header.Key, CancellationToken.None)));
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.True(bytes.AsSpan().SequenceEqual(record));
    }

    [Theory]
    [InlineData("path", "http")]
    [InlineData("virtual", "http")]
    [InlineData("path", "https")]
    [InlineData("virtual", "https")]
    public async Task PutAndRead_StyleAndScheme_GiveTheSameBytes(string style, string scheme)
    {
        var tls = scheme == "https";
        var endpoint = new Uri($"{scheme}://{CephLab.DnsName}:{(tls ? ceph.Lab.TlsPort : ceph.Lab.GatewayPort())}");
        var location = new S3Location(endpoint, CephLab.Bucket, _prefix, "default", style == "path", tls ? ceph.Lab.AuthorityFile : null);
        await using var tier = CephFixture.Open(CephFixture.Options(location));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));
        Assert.True(await IsThereAsync(tier, 1));
        Assert.Equal(1, await tier.DeleteAsync(TestRecords.Key(1), CancellationToken.None));
    }

    [Fact]
    public async Task CredentialsFile_KeysRotated_AreReadAgainWithoutARestart()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n");
            await using var tier = CephFixture.Open(Options() with { CredentialsFile = file });
            var error = await Assert.ThrowsAsync<S3TierException>(() => PutAsync(tier, 1, Layout));
            Assert.Contains("InvalidAccessKeyId", error.Message);
            Assert.DoesNotContain("nothing", error.ToString());

            File.WriteAllText(file, $"# new\n[other]\naws_access_key_id = x\n\n[default]\naws_access_key_id = {CephLab.AccessKey}\naws_secret_access_key = {CephLab.SecretKey}\n");
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task VerifyAsync_OneOfThreeDamaged_NamesItAndDropsItWhenAsked()
    {
        await using var tier = CephFixture.Open(Options());
        await PutAsync(tier, 1, Layout);
        await DamageAsync(tier, 2000);
        await PutAsync(tier, 2, Layout);
        await PutAsync(tier, 3, Layout);
        var told = new List<TierVerifyProgress>();

        var report = await tier.VerifyAsync(new TierVerifyOptions(), new Collecting(told), CancellationToken.None);
        Assert.Equal((3L, 3L * RecordBytes, 1L), (report.Records, report.Bytes, report.Damaged));
        Assert.Contains(TestRecords.Hash(1).ToString(), Assert.Single(report.Named).Location);
        Assert.Equal(3, told.Count);
        Assert.Equal(3L, (await tier.MeasureAsync(CancellationToken.None)).Records);

        Assert.Equal(1, (await tier.VerifyAsync(new TierVerifyOptions { DropDamaged = true }, null, CancellationToken.None)).Damaged);
        Assert.Equal(0, (await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None)).Damaged);
    }

    [Fact]
    public async Task Objects_OfOthersUnderThePrefix_AreNeitherFoundNorCountedNorDeleted()
    {
        await using var tier = CephFixture.Open(Options() with { CapacityBytes = 2L * RecordBytes });
        await PutAsync(tier, 1, Layout);
        using var bucket = new S3Bucket(Options(), TimeProvider.System);
        var chunk = (await tier.ListAsync(CancellationToken.None).SingleAsync()).Location;
        string[] foreign = ["notes.txt", chunk + ".bak", chunk[..(chunk.LastIndexOf('/') + 1)] + "0-04-4-0123456789abcdef.kv", "model/none/ab/cd/0-1-1-0123456789abcdef.kv"];
        foreach (var key in foreign)
        {
            await bucket.PutAsync(key, new byte[10 * RecordBytes], onlyIfAbsent: false, CancellationToken.None);
        }
        for (var number = 2; number < 6; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, number, Layout));
        }
        await tier.ClearAsync(null, CancellationToken.None);
        foreach (var key in foreign)
        {
            Assert.Equal(10 * RecordBytes, await bucket.TryGetLengthAsync(key, CancellationToken.None));
        }
    }

    private sealed class Collecting(List<TierVerifyProgress> told) : IProgress<TierVerifyProgress>
    {
        public void Report(TierVerifyProgress value) => told.Add(value);
    }
}
