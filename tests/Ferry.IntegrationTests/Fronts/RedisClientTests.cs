using System.Text.Json.Nodes;
using Ferry.Cache.Remote.Resp;
using Ferry.TestKit;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>The client libraries that people have, unmodified.</summary>
public sealed class RedisClientTests
{
    [Theory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    public async Task StackExchangeRedis_AgainstTheFront_StoresFindsListsAndDeletes(RedisProtocol protocol)
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, Password = "sesame" });
        var options = new ConfigurationOptions { EndPoints = { host.Resp.Endpoint }, Password = "sesame", Protocol = protocol, ConnectTimeout = 30_000, SyncTimeout = 30_000, AsyncTimeout = 30_000 };
        await using (var client = await ConnectionMultiplexer.ConnectAsync(options))
        {
            var database = client.GetDatabase();
            var value = new byte[2_000_000];
            new Random(3).NextBytes(value);
            Assert.True(await database.StringSetAsync("k", value));
            Assert.Equal(value, (byte[]?)await database.StringGetAsync("k"));
            using (var lease = await database.StringGetLeaseAsync("k"))
            {
                Assert.True(lease!.Span.SequenceEqual(value));
            }
            Assert.True((await database.StringGetAsync("none")).IsNull);
            Assert.False(await database.StringSetAsync("k", "x", when: When.NotExists));
            Assert.Equal(2_000_000, await database.StringLengthAsync("k"));
            await Task.WhenAll(Enumerable.Range(0, 300).Select(index => database.StringSetAsync($"many:{index}", $"value {index}")));
            var many = await database.StringGetAsync([.. Enumerable.Range(0, 300).Select(index => (RedisKey)$"many:{index}")]);
            Assert.Equal(Enumerable.Range(0, 300).Select(index => $"value {index}"), many.Select(one => one.ToString()));
            var error = await Assert.ThrowsAsync<RedisServerException>(() => database.StringSetAsync("k", "x", TimeSpan.FromSeconds(5)));
            Assert.Contains("refused", error.Message, StringComparison.Ordinal);
            Assert.Equal(301, await client.GetServer(host.Resp.Endpoint).DatabaseSizeAsync());
            Assert.Equal(300, await client.GetServer(host.Resp.Endpoint).KeysAsync(pattern: "many:*").CountAsync());
            Assert.True(await database.KeyExistsAsync("k"));
            Assert.True(await database.KeyDeleteAsync("k"));
            Assert.False(await database.KeyExistsAsync("k"));
        }
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 0);
    }

    [Fact]
    public async Task NpmClients_AgainstTheFront_StoreFindListAndDelete()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, Password = "sesame" });
        var folder = await InstallAsync();
        var seen = JsonNode.Parse(await ProgramRun.RunAsync("node", null, Path.Combine(folder, "redis.mjs"), host.Resp.Endpoint.Port.ToString(), "sesame"))!;
        foreach (var library in (string[])["ioredis", "redis"])
        {
            var result = seen[library]!;
            Assert.Equal(
                ("OK", true, true, "1,2,none", 1, 0),
                (result["set"]!.GetValue<string>(), result["equal"]!.GetValue<bool>(), result["missing"]!.GetValue<bool>(), result["many"]!.GetValue<string>(), result["deleted"]!.GetValue<int>(), result["exists"]!.GetValue<int>()));
            Assert.Contains("refused", result["error"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    private static async Task<string> InstallAsync()
    {
        var source = RepositoryRoot.At("tests", "Ferry.IntegrationTests", "Fronts", "npm");
        var target = RepositoryRoot.At("artifacts", "npm-redis");
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        }
        if (!Directory.Exists(Path.Combine(target, "node_modules", "ioredis")) || !Directory.Exists(Path.Combine(target, "node_modules", "redis")))
        {
            await ProgramRun.RunAsync("npm", null, "--prefix", target, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error");
        }
        return target;
    }
}
