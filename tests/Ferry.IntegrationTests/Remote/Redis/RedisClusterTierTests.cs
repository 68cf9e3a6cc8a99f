using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Tiers;
using Ferry.TestKit.Cache;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>Three primaries that share the keys, of which the tier is told one.</summary>
public sealed class RedisClusterTierTests(RedisClusterFixture redis) : RedisTierContract(redis.Place), IClassFixture<RedisClusterFixture>
{
    [Fact]
    public async Task Keys_OfManyChunks_LieOnEveryServer()
    {
        await using var tier = Open();
        for (var number = 0; number < 40; number++)
        {
            await PutAsync(tier, number, Layout);
        }
        await using var connection = await redis.Place.ConnectAsync();
        Assert.Equal(3, connection.GetServers().Length);
        foreach (var server in connection.GetServers())
        {
            Assert.True(await server.DatabaseSizeAsync() > 0);
        }
    }

    [Fact]
    public async Task Operations_OneServerDies_OthersAreServedAndACountOfAllFails()
    {
        await using var own = new RedisClusterFixture();
        await own.InitializeAsync();
        await using var tier = RedisFixture.Open(new RedisTierOptions { Location = own.Place.Location(""), Environment = _ => null, RequestDeadline = TimeSpan.FromSeconds(2) });
        for (var number = 0; number < 40; number++)
        {
            Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, number, Layout));
        }
        Assert.Equal(40, (await tier.MeasureAsync(CancellationToken.None)).Records);
        own.Lab.Nodes[2].Kill();
        // A count that leaves a server out would let the others grow past the limit.
        await Assert.ThrowsAsync<RedisTierException>(() => tier.MeasureAsync(CancellationToken.None));
        var answered = 0;
        for (var number = 0; number < 40; number++)
        {
            try
            {
                answered += (await tier.FindAsync(TestRecords.Key(number), CancellationToken.None)).Count;
            }
            catch (RedisTierException)
            {
                // Its slots are nobody's now.
            }
        }
        Assert.InRange(answered, 0, 39);
    }
}
