using Ferry.Cache.Remote.Redis;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>One Redis for the tests that leave it as it is.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private static int _prefixes;

    public RedisLab Lab { get; private set; } = null!;

    public RedisPlace Place => new([("127.0.0.1", Lab.Port)], null);

    public async ValueTask InitializeAsync() => Lab = await RedisLab.StartAsync();

    public ValueTask DisposeAsync() => Lab.DisposeAsync();

    /// <summary>A prefix that no other test uses.</summary>
    public static string NextPrefix() => $"test-{Interlocked.Increment(ref _prefixes)}/";

    public static RedisTierOptions Options(int port, string? prefix = null, string? user = null, string? password = null) => new()
    {
        Location = new RedisLocation([("127.0.0.1", port)], false, user, 0, prefix ?? NextPrefix(), null),
        Environment = name => name == "REDISCLI_AUTH" ? password : null,
    };

    public static RedisTier Open(RedisTierOptions options) => new(options, TimeProvider.System, NullLogger<RedisTier>.Instance);
}
