using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>The contract of tiers and the Redis tier's own promises, against real redis-servers.</summary>
public abstract class RedisTierContract(RedisPlace place) : CappedTierContract
{
    private readonly string _prefix = RedisFixture.NextPrefix();

    protected override IKvTier Open() => RedisFixture.Open(Options());

    protected override IKvTier OpenCapped() => RedisFixture.Open(Options() with { CapacityBytes = CapacityBytes });

    protected override void Damage(IKvTier tier, int byteIndex) => DamageAsync(byteIndex).GetAwaiter().GetResult();

    /// <summary>With patience: the tests beside these take the machine's time.</summary>
    private RedisTierOptions Options() => new()
    {
        Location = place.Location(_prefix),
        Environment = _ => null,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        RequestDeadline = TimeSpan.FromSeconds(30),
    };

    private Task<ConnectionMultiplexer> ConnectAsync() => place.ConnectAsync();

    private async Task<RedisKey[]> KeysAsync(ConnectionMultiplexer connection, string end = "") =>
        await connection.GetServers().ToAsyncEnumerable().SelectMany(server => server.KeysAsync(pattern: _prefix + "*" + end)).ToArrayAsync();

    private async Task DamageAsync(int byteIndex)
    {
        await using var connection = await ConnectAsync();
        var database = connection.GetDatabase();
        foreach (var key in await KeysAsync(connection, ".kv"))
        {
            byte[] bytes = [.. (byte[])(await database.StringGetAsync(key))!];
            bytes[byteIndex] ^= 0x10;
            await database.StringSetAsync(key, bytes);
        }
    }

    private static async Task<bool> IsThereAsync(IKvTier tier, int number) =>
        await tier.FindAsync(TestRecords.Key(number), CancellationToken.None) is { Count: > 0 } found && (await ReadAsync(tier, found[0])).Read.Outcome == TierReadOutcome.Read;

    [Fact]
    public async Task ListAsync_ManyChunks_NamesEachOnceWhereverItLies()
    {
        await using var tier = Open();
        for (var number = 0; number < 40; number++)
        {
            await PutAsync(tier, number, Layout);
        }
        var listed = await tier.ListAsync(CancellationToken.None).ToArrayAsync();
        Assert.Equal(Enumerable.Range(0, 40).Select(number => TestRecords.Key(number)).ToHashSet(), listed.Select(one => one.Record!.Key).ToHashSet());
        Assert.Equal(40, listed.Length);
        var usage = await tier.MeasureAsync(CancellationToken.None);
        Assert.Equal((40L, 40L * RecordBytes, false), (usage.Records, usage.Bytes, usage.IsLowerBound));
        Assert.Equal(1, await tier.DeleteAsync(TestRecords.Key(7), CancellationToken.None));
        Assert.Equal(39, await tier.ClearAsync(null, CancellationToken.None));
    }

    [Fact]
    public async Task FindManyAsync_Chain_AnswersEachKeyInOrder()
    {
        await using var tier = Open();
        for (var number = 0; number < 20; number++)
        {
            await PutAsync(tier, number, Layout);
        }
        KvKey[] keys = [.. Enumerable.Range(0, 600).Select(number => TestRecords.Key(number))];
        var found = await tier.FindManyAsync(keys, CancellationToken.None);
        Assert.Equal(keys.Length, found.Count);
        Assert.All(found.Take(20).Zip(keys), pair => Assert.Equal(pair.Second, Assert.Single(pair.First).Key));
        Assert.All(found.Skip(20), Assert.Empty);
    }

    [Fact]
    public async Task PutAsync_Capped_DeletesTheLeastRecentlyUsedAndNeverExceeds()
    {
        await using var tier = RedisFixture.Open(Options() with { CapacityBytes = 5L * RecordBytes });
        for (var number = 0; number < 5; number++)
        {
            await PutAsync(tier, number, Layout);
            await Task.Delay(5); // Times of use are milliseconds.
        }
        Assert.True(await IsThereAsync(tier, 0)); // A read is a use.
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 5, Layout));
        Assert.False(await IsThereAsync(tier, 1));
        Assert.True(await IsThereAsync(tier, 0) && await IsThereAsync(tier, 5));
        Assert.True((await tier.MeasureAsync(CancellationToken.None)).Bytes <= 5L * RecordBytes);
        Assert.True(tier.Counts.Evictions > 0);
    }

    [Fact]
    public async Task PutAsync_WithExpiry_GivesTheKeyATimeToLiveThatAReadRenews()
    {
        await using var tier = RedisFixture.Open(Options() with { ExpireAfter = TimeSpan.FromHours(1) });
        await PutAsync(tier, 1, Layout);
        await using var connection = await ConnectAsync();
        var database = connection.GetDatabase();
        var keys = await KeysAsync(connection);
        Assert.Equal(2, keys.Length);
        foreach (var key in keys)
        {
            Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
            await database.KeyExpireAsync(key, TimeSpan.FromMinutes(1));
        }
        Assert.True(await IsThereAsync(tier, 1));
        foreach (var key in keys)
        {
            for (var looks = 0; looks < 500 && await database.KeyTimeToLiveAsync(key) < TimeSpan.FromMinutes(59); looks++)
            {
                await Task.Delay(10); // The renewal follows the read.
            }
            Assert.True(await database.KeyTimeToLiveAsync(key) > TimeSpan.FromMinutes(59));
        }
    }

    [Fact]
    public async Task ReadAsync_OneOfTwoShardsDamaged_LeavesTheOtherAndTheLastTakesTheKeyAlong()
    {
        await using var tier = Open();
        await PutAsync(tier, 1, Layout.ForRank(0, 2));
        await DamageAsync(1500);
        await PutAsync(tier, 1, Layout.ForRank(1, 2));
        foreach (var record in await tier.FindAsync(TestRecords.Key(1), CancellationToken.None))
        {
            Assert.Equal(record.FirstHead == 0 ? TierReadOutcome.Damaged : TierReadOutcome.Read, (await ReadAsync(tier, record)).Read.Outcome);
        }
        Assert.Equal(2, Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None)).FirstHead);
        await DamageAsync(1500);
        Assert.Equal(1, (await ((IVerifiableTier)tier).VerifyAsync(new TierVerifyOptions { DropDamaged = true }, null, CancellationToken.None)).Damaged);
        await using var connection = await ConnectAsync();
        Assert.Empty(await KeysAsync(connection));
    }

    [Fact]
    public async Task Index_EvictedByRedisOrNamingAValueThatIsGone_IsMended()
    {
        await using var tier = Open();
        await using var connection = await ConnectAsync();
        var database = connection.GetDatabase();
        await PutAsync(tier, 1, Layout);
        var value = Assert.Single(await KeysAsync(connection, ".kv"));
        var index = (await KeysAsync(connection)).Single(key => key != value);
        await database.KeyDeleteAsync(index);
        Assert.False(await IsThereAsync(tier, 1));
        Assert.Equal(TierPutOutcome.Present, await PutAsync(tier, 1, Layout));
        Assert.True(await IsThereAsync(tier, 1));

        await database.KeyDeleteAsync(value);
        Assert.False(await IsThereAsync(tier, 1));
        for (var looks = 0; looks < 500 && await database.KeyExistsAsync(index); looks++)
        {
            await Task.Delay(10); // The mending follows the read.
        }
        Assert.Empty(await KeysAsync(connection));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));
    }

    [Fact]
    public async Task PutAndRead_EightyMebibytes_GiveTheSameBytes()
    {
        await using var tier = RedisFixture.Open(Options() with { RequestDeadline = TimeSpan.FromMinutes(1) });
        var layout = KvLayout.Opaque(80 << 20);
        var (header, record) = TestRecords.Record(1, layout);
        Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(header, record, CancellationToken.None));
        var (read, bytes) = await ReadAsync(tier, Assert.Single(await tier.FindAsync(header.Key, CancellationToken.None)));
        Assert.Equal(TierReadOutcome.Read, read.Outcome);
        Assert.True(bytes.AsSpan().SequenceEqual(record));
    }

    [Fact]
    public async Task PutAsync_LongerThanAValueMayBe_IsFull()
    {
        await using var tier = RedisFixture.Open(Options());
        var (header, _) = TestRecords.Record(1, Layout);
        Assert.Equal(TierPutOutcome.Full, await tier.PutAsync(header, new byte[RedisTierOptions.ValueBytesMax + 1], CancellationToken.None));
        Assert.Equal(1, tier.Counts.Refused);
    }

    [Fact]
    public async Task ClearAsync_OneSalt_LeavesTheOthersAndForeignKeys()
    {
        await using var tier = Open();
        await using var connection = await ConnectAsync();
        var database = connection.GetDatabase();
        await database.StringSetAsync(_prefix + "ferry-kv-1/notes", "text");
        var chunk = $"{_prefix}ferry-kv-1/0123456789abcdef0123456789abcdef/none/aa/{{aabb}}";
        await database.StringSetAsync(chunk, "a string where an index would be");
        await database.HashSetAsync(chunk + "/0-4-4-0123456789abcdef.kv", "a", "hash where a record would be");
        await PutAsync(tier, 1, Layout);
        await PutAsync(tier, 2, Layout, salt: "tenant");
        Assert.Equal(1, await tier.ClearAsync("tenant", CancellationToken.None));
        Assert.True(await IsThereAsync(tier, 1));
        Assert.Equal(1, await tier.ClearAsync(null, CancellationToken.None));
        Assert.Equal(3, (await KeysAsync(connection)).Length);
    }
}
