using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Tiers;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>A server that speaks TLS only, with a certificate of its own authority.</summary>
public sealed class RedisTlsTierTests(RedisTlsFixture redis) : RedisTierContract(redis.Place), IClassFixture<RedisTlsFixture>
{
    private static async Task<string> ErrorOfAsync(RedisLocation location)
    {
        await using var tier = new RedisTier(new RedisTierOptions { Location = location, Environment = _ => null }, TimeProvider.System, NullLogger<RedisTier>.Instance);
        return (await Assert.ThrowsAsync<RedisTierException>(() => tier.FindAsync(TestRecords.Key(1), CancellationToken.None))).Message;
    }

    [Fact]
    public async Task FindAsync_AuthorityNotNamedOrAnother_SaysToNameIt()
    {
        var trusted = redis.Place.Location("");
        Assert.Contains("ca=", await ErrorOfAsync(trusted with { AuthorityFile = null }));
        var other = Directory.CreateTempSubdirectory("ferry-tls-");
        await using var lab = await RedisLab.StartTlsAsync(other.FullName);
        Assert.Contains("ca=", await ErrorOfAsync(trusted with { AuthorityFile = RedisLab.AuthorityFile(other.FullName) }));
        other.Delete(recursive: true);
    }

    [Fact]
    public async Task FindAsync_PlainToTheTlsPortAndTlsToAPlainOne_FailsAndSaysSomethingOfIt()
    {
        var trusted = redis.Place.Location("");
        Assert.Contains("failed", await ErrorOfAsync(trusted with { IsTls = false, AuthorityFile = null }));
        await using var plain = await RedisLab.StartAsync();
        Assert.Contains("TLS", await ErrorOfAsync(trusted with { Servers = [("127.0.0.1", plain.Port)] }));
    }

    [Fact]
    public async Task Operations_PasswordOverTls_Work()
    {
        await using var lab = await RedisLab.StartTlsAsync(redis.TlsDirectory, "--requirepass", "right");
        var options = new RedisTierOptions
        {
            Location = redis.Place.Location("") with { Servers = [("127.0.0.1", lab.Port)] },
            Environment = name => name == "REDISCLI_AUTH" ? "right" : null,
        };
        await using var tier = RedisFixture.Open(options);
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));
    }

    [Fact]
    public async Task Open_ByUrlWithItsAuthority_Works()
    {
        var url = $"rediss://127.0.0.1:{redis.Place.Servers[0].Port}?prefix=by-url&ca={redis.Place.AuthorityFile}";
        await using var tier = Ferry.Cache.Remote.RemoteTiers.Open(url, new Ferry.Cache.Remote.RemoteTierOptions { Environment = _ => null }, TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1, Layout));
        Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
    }
}
