namespace Ferry.Cache.Remote.Redis;

/// <summary>A Redis or Valkey as a tier: limits and deadlines.</summary>
public sealed record RedisTierOptions
{
    /// <summary>What Redis takes as one value unless proto-max-bulk-len says otherwise.</summary>
    public const int ValueBytesMax = 512 << 20;

    public required RedisLocation Location { get; init; }

    /// <summary>Bytes of all records under the prefix, whoever wrote them; null for no limit of ours. Redis' maxmemory must lie above it.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>A chunk that nobody read or wrote for this long is dropped, by Redis itself. Null to keep records until there is no room.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>Holds the password and nothing else; null for the environment variable REDISCLI_AUTH, or no password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Connections; large values on one do not hold up small questions on another.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Requests at a time, all operations together; more wait. Each read or write holds one record's bytes.</summary>
    public int RequestsMax { get; init; } = 16;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For one operation, the making of its connection included; large records get what they need at <see cref="BytesPerSecondMin"/>, if that is more.</summary>
    public TimeSpan RequestDeadline { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Slower than this, recomputing wins.</summary>
    public long BytesPerSecondMin { get; init; } = 16_000_000;

    /// <summary>Records that one walk looks at. A server with more is measured in part and says so.</summary>
    public int ScanRecordsMax { get; init; } = 1_000_000;

    /// <summary>How often the server is counted again: other nodes write to it too.</summary>
    public TimeSpan RecountEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Looks up an environment variable.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>Every error at once; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        void Require(bool holds, string error)
        {
            if (!holds)
            {
                errors.Add(error);
            }
        }
        Require(CapacityBytes is null or >= 1, $"cache.shared.capacityBytes is {CapacityBytes}; it must be at least 1. Leave it out for no limit.");
        Require(ExpireAfter is null || ExpireAfter >= TimeSpan.FromSeconds(1), $"cache.shared.expireAfter is {ExpireAfter}; it must be a second or more. Leave it out to keep records.");
        Require(PasswordFile is null || Path.IsPathFullyQualified(PasswordFile), $"cache.shared.credentialsFile is \"{PasswordFile}\"; it must be absolute, or each process would look for it elsewhere.");
        Require(Connections is >= 1 and <= 64, $"cache.shared.connections is {Connections}; it must lie in 1..64.");
        Require(RequestsMax is >= 1 and <= 1024, $"cache.shared.requestsMax is {RequestsMax}; it must lie in 1..1024.");
        foreach (var (name, value) in new[] { ("connectTimeout", ConnectTimeout), ("requestDeadline", RequestDeadline), ("recountEvery", RecountEvery) })
        {
            Require(value > TimeSpan.Zero && value <= TimeSpan.FromDays(1), $"cache.shared.{name} is {value}; it must be more than zero and at most a day.");
        }
        Require(RequestDeadline > ConnectTimeout, $"cache.shared.requestDeadline is {RequestDeadline}; it must be more than connectTimeout, {ConnectTimeout}.");
        Require(BytesPerSecondMin >= 1, $"cache.shared.bytesPerSecondMin is {BytesPerSecondMin}; it must be at least 1.");
        Require(ScanRecordsMax >= 1, $"cache.shared.scanRecordsMax is {ScanRecordsMax}; it must be at least 1.");
        return errors;
    }
}
