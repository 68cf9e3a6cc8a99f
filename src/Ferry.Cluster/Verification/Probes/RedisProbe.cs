using System.Globalization;
using System.Security.Cryptography;
using Ferry.Cluster.Spec;
using StackExchange.Redis;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The Redis of the shared tier takes, gives and forgets a value, and may still take more.</summary>
internal sealed class RedisProbe : IProbe
{
    private const int ValueBytes = 64 << 10;
    private const int TimeoutMilliseconds = 5_000;
    private const double FullShare = 0.95;

    /// <summary>The value goes by itself when the probe is killed in between.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    public string Id => "redis";

    public string Title => "Redis takes, gives and forgets a value";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Spec.Storage.Redis is { } redis
        ? [new ProbeTask(redis.Address, token => RunAsync(cluster, redis, token))]
        : [];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, RedisSpec redis, CancellationToken cancellationToken)
    {
        var password = SecretReader.TryRead(redis.Password, cluster.Options.Variables);
        if (redis.Password is { } secret && password is null)
        {
            return ProbeAnswer.Inconclusive($"its password cannot be read here: {SecretReader.Place(secret)}.", "Run ferry verify where it is.");
        }
        var options = new ConfigurationOptions
        {
            EndPoints = { redis.Address },
            Password = password,
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = TimeoutMilliseconds,
            AsyncTimeout = TimeoutMilliseconds,
            AllowAdmin = true,   // For CONFIG GET and INFO alone.
        };
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
            var database = connection.GetDatabase();
            var latency = await database.PingAsync().WaitAsync(cancellationToken);
            var value = RandomNumberGenerator.GetBytes(ValueBytes);
            var key = $"{cluster.Spec.Name}:ferry-verify:{Convert.ToHexStringLower(value.AsSpan(0, 8))}";
            await database.StringSetAsync(key, value, Lifetime).WaitAsync(cancellationToken);
            var got = (byte[]?)await database.StringGetAsync(key).WaitAsync(cancellationToken);
            var isGone = await database.KeyDeleteAsync(key).WaitAsync(cancellationToken);
            if (got is null || !got.AsSpan().SequenceEqual(value) || !isGone)
            {
                return ProbeAnswer.Violation("a value that was just set comes back changed or not at all.", "With allkeys-* policies and a tiny maxmemory it is evicted at once: raise maxmemory.");
            }
            return await FullnessAsync(connection, cancellationToken) is { } full
                ? ProbeAnswer.Violation(full, "redis-cli CONFIG SET maxmemory-policy allkeys-lru, or raise maxmemory.")
                : ProbeAnswer.Pass(string.Create(CultureInfo.InvariantCulture, $"set, get and delete of {ValueBytes >> 10} KiB succeed, ping {latency.TotalMilliseconds:0.0} ms"));
        }
        catch (RedisServerException exception)
        {
            return ProbeAnswer.Violation($"{exception.Message}.", exception.Message.StartsWith("OOM", StringComparison.Ordinal) ? "redis-cli CONFIG SET maxmemory-policy allkeys-lru, or raise maxmemory." : "");
        }
        catch (RedisConnectionException exception)
        {
            return ProbeAnswer.Violation($"{Reason(exception)}.", "Start it, correct storage.redis.address, or give its password.");
        }
        catch (RedisTimeoutException)
        {
            return ProbeAnswer.Violation($"no answer within {TimeoutMilliseconds / 1000} s.");
        }
    }

    /// <returns>What is wrong when it is nearly full and may not evict; null when all is well, or when it does not tell.</returns>
    private static async Task<string?> FullnessAsync(ConnectionMultiplexer connection, CancellationToken cancellationToken)
    {
        try
        {
            var info = (await connection.GetServers()[0].InfoAsync("memory").WaitAsync(cancellationToken)).SelectMany(group => group).ToDictionary(pair => pair.Key, pair => pair.Value);
            var maximum = double.Parse(info.GetValueOrDefault("maxmemory", "0"), CultureInfo.InvariantCulture);
            var used = double.Parse(info.GetValueOrDefault("used_memory", "0"), CultureInfo.InvariantCulture);
            return maximum > 0 && info.GetValueOrDefault("maxmemory_policy") == "noeviction" && used > FullShare * maximum
                ? string.Create(CultureInfo.InvariantCulture, $"{used / maximum:P0} of maxmemory is used, and maxmemory-policy is noeviction: soon every write is refused.")
                : null;
        }
        catch (Exception exception) when (exception is RedisException or FormatException)
        {
            return null;   // An account without INFO.
        }
    }

    private static string Reason(RedisConnectionException exception) => exception.FailureType switch
    {
        ConnectionFailureType.AuthenticationFailure => "it refuses the password",
        _ => exception.InnerException?.GetBaseException().Message ?? $"no connection ({exception.FailureType})",
    };
}
