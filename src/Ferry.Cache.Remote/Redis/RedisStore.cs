using System.Buffers;
using System.Globalization;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using StackExchange.Redis;

namespace Ferry.Cache.Remote.Redis;

/// <summary>The few things that a tier asks of Redis, each with its deadline. Locations are those of <see cref="RecordPath"/>. Thread-safe.</summary>
internal sealed class RedisStore : IAsyncDisposable
{
    private const string UsedField = "used"; // Milliseconds since 1970 of the last read or write of a shard of the chunk.

    // Scripts run whole, so that index and value never part for longer than one command. KEYS: index, value. They lie in one slot (the braces).
    private const string MarkUsedScript = """
        if redis.call('exists', KEYS[1]) == 0 then return 0 end
        redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
        if ARGV[3] ~= '0' then redis.call('pexpire', KEYS[1], ARGV[3]) redis.call('pexpire', KEYS[2], ARGV[3]) end
        return 1
        """;

    private const string DropScript = """
        local gone = redis.call('unlink', KEYS[2])
        redis.call('hdel', KEYS[1], ARGV[1])
        if redis.call('hlen', KEYS[1]) == redis.call('hexists', KEYS[1], ARGV[2]) then redis.call('del', KEYS[1]) end
        return gone
        """;

    private const string ForgetScript = """
        if redis.call('exists', KEYS[2]) == 1 then return 0 end
        redis.call('hdel', KEYS[1], ARGV[1])
        if redis.call('hlen', KEYS[1]) == redis.call('hexists', KEYS[1], ARGV[2]) then redis.call('del', KEYS[1]) end
        return 1
        """;

    private static readonly long MillisecondsMax = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private readonly RedisTierOptions _options;
    private readonly TimeProvider _time;
    private readonly RedisConnections _connections;
    private readonly RedisRequests _requests;
    private readonly string _root;

    public RedisStore(RedisTierOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _root = $"{options.Location.Prefix}{RecordPath.FormatDirectory}/";
        _connections = new RedisConnections(options);
        _requests = new RedisRequests(options, time);
    }

    public bool HasOnlyReplicas => _connections.HasOnlyReplicas;

    /// <summary>What the indexes of some chunks name, in the order of the chunks.</summary>
    public Task<Index[]> IndexesAsync(string[] chunks, CancellationToken cancellationToken) => _requests.SendAsync("HGETALL", 0, async () =>
    {
        var database = await _connections.SmallAsync(cancellationToken);
        return await Task.WhenAll(chunks.Select(chunk => IndexAsync(database, chunk)));
    }, cancellationToken);

    /// <returns>Bytes of the record; 0 when there is none.</returns>
    public Task<long> LengthAsync(string location, CancellationToken cancellationToken) => _requests.SendAsync(
        "STRLEN", 0, async () => await OrNothingAsync((await _connections.SmallAsync(cancellationToken)).StringLengthAsync(ValueKey(location))), cancellationToken);

    /// <returns>False when the record is gone or has another length; then the memory is as it was.</returns>
    public async Task<bool> TryGetAsync(string location, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var lease = await _requests.SendAsync(
            $"GET of {destination.Length} bytes", destination.Length,
            async () => await (await _connections.LargeAsync(cancellationToken)).StringGetLeaseAsync(ValueKey(location)), cancellationToken);
        if (lease is null || lease.Length != destination.Length)
        {
            return false;
        }
        lease.Span.CopyTo(destination.Span);
        return true;
    }

    /// <summary>Value first, then its name in the index; both on one connection and without waiting in between.</summary>
    /// <returns>False when it is there and <paramref name="when"/> says not to replace it.</returns>
    /// <exception cref="RedisServerException">The server has no memory left, or takes no writes.</exception>
    public Task<bool> SetAsync(string location, ReadOnlyMemory<byte> record, When when, CancellationToken cancellationToken)
    {
        // A copy, because the command may still be on its way when the caller has gone on past the deadline and uses its memory for another record.
        var copy = ArrayPool<byte>.Shared.Rent(record.Length);
        record.CopyTo(copy);
        return _requests.SendAsync($"SET of {record.Length} bytes", record.Length, async () =>
        {
            var database = await _connections.LargeAsync(CancellationToken.None);
            var set = database.StringSetAsync(ValueKey(location), new ReadOnlyMemory<byte>(copy, 0, record.Length), _options.ExpireAfter, when: when);
            await Task.WhenAll(set, NameAsync(database, location, record.Length)); // One connection, so one wait: whoever looks next finds both.
            ArrayPool<byte>.Shared.Return(copy); // Not when it failed: then nobody knows whether it is still read.
            return await set;
        }, cancellationToken);
    }

    /// <summary>Puts a record's name into its index, where it may be already. A read-only replica keeps what it has.</summary>
    public async Task NameAsync(string location, int recordBytes)
    {
        try
        {
            await NameAsync(await _connections.SmallAsync(CancellationToken.None), location, recordBytes);
        }
        catch (RedisServerException error) when (RedisFault.IsReadOnly(error))
        {
            // The record is found by its name, if the index still has it; else it is a miss.
        }
    }

    /// <summary>For those who evict or expire. What a read-only replica answers to it does not matter.</summary>
    public async Task MarkUsedAsync(string location)
    {
        if (_options.CapacityBytes is null && _options.ExpireAfter is null)
        {
            return;
        }
        var database = await _connections.SmallAsync(CancellationToken.None);
        await database.ScriptEvaluateAsync(MarkUsedScript, Keys(location), [UsedField, Now(), (long)(_options.ExpireAfter?.TotalMilliseconds ?? 0)], CommandFlags.FireAndForget);
    }

    /// <summary>Takes the record's name out of the index unless the record is there.</summary>
    public Task ForgetIfGoneAsync(string location, CancellationToken cancellationToken) => ScriptAsync(ForgetScript, [location], CommandFlags.FireAndForget, cancellationToken);

    /// <returns>How many of the records were there.</returns>
    public Task<int> DropAsync(string[] locations, CancellationToken cancellationToken) => ScriptAsync(DropScript, locations, CommandFlags.None, cancellationToken);

    /// <summary>As <see cref="RedisConnections.PrimariesAsync"/>.</summary>
    public Task<IReadOnlyList<IServer>> PrimariesAsync(CancellationToken cancellationToken) =>
        _requests.SendAsync("SCAN", 0, () => _connections.PrimariesAsync(cancellationToken), cancellationToken);

    /// <summary>Locations of one page of a server's records, and the cursor of the next page: "0" after the last.</summary>
    public Task<(string Cursor, string[] Locations)> ScanAsync(IServer server, string cursor, int count, CancellationToken cancellationToken) => _requests.SendAsync("SCAN", 0, async () =>
    {
        var page = await server.ExecuteAsync(_options.Location.Database, "SCAN", [cursor, "MATCH", $"{_root}*{RecordPath.Extension}", "COUNT", count]);
        var keys = ((RedisKey[]?)page[1] ?? []).Select(key => LocationOf(key.ToString())).Where(location => RecordPath.IsRecord(location));
        return (page[0].ToString(), keys.Distinct().ToArray()); // SCAN may name a key twice.
    }, cancellationToken);

    /// <summary>Length and last use of those records that are still there.</summary>
    public Task<IReadOnlyList<TierListing>> DescribeAsync(string[] locations, CancellationToken cancellationToken) => _requests.SendAsync<IReadOnlyList<TierListing>>("STRLEN", 0, async () =>
    {
        var database = await _connections.SmallAsync(cancellationToken);
        var lengths = locations.Select(location => OrNothingAsync(database.StringLengthAsync(ValueKey(location)))).ToArray();
        var used = locations.Select(location => OrNothingAsync(database.HashGetAsync(IndexKey(ChunkOf(location)), UsedField))).ToArray();
        var listings = new List<TierListing>(locations.Length);
        for (var index = 0; index < locations.Length; index++)
        {
            var milliseconds = long.TryParse((string?)await used[index], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? Math.Min(parsed, MillisecondsMax) : 0;
            if (await lengths[index] is > 0 and var bytes)
            {
                listings.Add(new TierListing(locations[index], bytes, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)));
            }
        }
        return listings;
    }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        _requests.Dispose();
    }

    private static string ChunkOf(string location) => location[..location.LastIndexOf('/')];

    private static string ShardOf(string location) => location[(location.LastIndexOf('/') + 1)..];

    /// <summary>The braces: a cluster puts all keys of a chunk into one slot.</summary>
    private string IndexKey(string chunk)
    {
        var hash = chunk.LastIndexOf('/') + 1;
        return $"{_root}{chunk.AsSpan(0, hash)}{{{chunk.AsSpan(hash)}}}";
    }

    private string ValueKey(string location) => $"{IndexKey(ChunkOf(location))}/{ShardOf(location)}";

    private RedisKey[] Keys(string location) => [IndexKey(ChunkOf(location)), ValueKey(location)];

    private string LocationOf(string key) => key[_root.Length..].Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);

    private async Task<Index> IndexAsync(IDatabase database, string chunk)
    {
        var shards = new List<(string Name, int Bytes)>();
        foreach (var field in (await OrNothingAsync(database.HashGetAllAsync(IndexKey(chunk))) ?? []).Take(RecordStore.MaxRecordsPerChunk + 1))
        {
            if (RecordPath.TryParse(field.Name.ToString(), out _) && field.Value.TryParse(out int bytes) && bytes > 0)
            {
                shards.Add((field.Name.ToString(), bytes));
            }
        }
        return new Index(chunk, shards);
    }

    private static async Task<T?> OrNothingAsync<T>(Task<T> asked)
    {
        try
        {
            return await asked;
        }
        catch (RedisServerException error) when (IsWrongType(error))
        {
            return default; // Somebody else's key under our prefix.
        }
    }

    private async Task NameAsync(IDatabase database, string location, int recordBytes)
    {
        RedisKey index = IndexKey(ChunkOf(location));
        var named = database.HashSetAsync(index, [new HashEntry(ShardOf(location), recordBytes), new HashEntry(UsedField, Now())]);
        if (_options.ExpireAfter is { } after)
        {
            await database.KeyExpireAsync(index, after, flags: CommandFlags.FireAndForget);
        }
        await named;
    }

    private Task<int> ScriptAsync(string script, string[] locations, CommandFlags flags, CancellationToken cancellationToken) => _requests.SendAsync("UNLINK", 0, async () =>
    {
        var database = await _connections.SmallAsync(cancellationToken);
        var answers = await Task.WhenAll(locations.Select(location => database.ScriptEvaluateAsync(script, Keys(location), [ShardOf(location), UsedField], flags)));
        return flags.HasFlag(CommandFlags.FireAndForget) ? 0 : answers.Sum(answer => (int)answer);
    }, cancellationToken);

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static bool IsWrongType(RedisServerException error) => error.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    /// <param name="Shards">Names and bytes.</param>
    public sealed record Index(string Chunk, IReadOnlyList<(string Name, int Bytes)> Shards);
}
