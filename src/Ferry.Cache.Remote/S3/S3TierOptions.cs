using System.Security.Cryptography;

namespace Ferry.Cache.Remote.S3;

/// <summary>A bucket as a tier: limits, deadlines and how large records travel.</summary>
public sealed record S3TierOptions
{
    public required S3Location Location { get; init; }

    /// <summary>Bytes of all records under the prefix, whoever wrote them; null for no limit. Beyond it the records written longest ago go.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>A record older than this is a miss and is deleted; null to keep records until there is no room.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>AWS credentials file (INI), read again when it changes; null for the standard chain: environment, shared file, web identity, container, instance.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Section of the credentials file.</summary>
    public string Profile { get; init; } = "default";

    /// <summary>Requests at a time, all operations together; more wait.</summary>
    public int RequestsMax { get; init; } = 32;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>No byte moves for this long: the request is given up. The SDK's own time-out does not cover the body of a GET.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For one request that somebody waits for; large records get what they need at <see cref="BytesPerSecondMin"/>, if that is more.</summary>
    public TimeSpan RequestDeadline { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>A read that is slower loses against recomputing.</summary>
    public long BytesPerSecondMin { get; init; } = 16_000_000;

    /// <summary>Nobody waits for a PUT: while its bytes move it goes on. Once all are sent the store has what it needs at this rate to answer, or <see cref="RequestDeadline"/>, if that is more.</summary>
    public long PutBytesPerSecondMin { get; init; } = 1_000_000;

    /// <summary>Further tries of a request that may pass the next time: a lost connection, 5xx, a body cut short. A store that hangs is not asked again.</summary>
    public int RetriesMax { get; init; } = 2;

    /// <summary>Longest pause before the first further try; doubled for each one after it, and drawn at random below that, so that nodes do not return together.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan RetryPauseMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Records from this size up are written in parts. One PUT is quicker with Ceph as long as it fits (docs/measurements/s3.md).</summary>
    public int MultipartFromBytes { get; init; } = 256 << 20;

    /// <summary>Records from this size up are read in parts at the same time.</summary>
    public int RangesFromBytes { get; init; } = 32 << 20;

    /// <summary>One part of either; S3 takes no part below 5 MiB but the last.</summary>
    public int PartBytes { get; init; } = 16 << 20;

    /// <summary>Parts of one record at a time.</summary>
    public int PartsAtOnce { get; init; } = 4;

    /// <summary>True: the payload's SHA-256 is signed too, where https would make that needless. Records carry checksums of their own, and it costs a PUT two to three times the processor time.</summary>
    public bool SignPayload { get; init; }

    /// <summary>Objects that one walk looks at. A bucket with more is measured in part and says so.</summary>
    public int ScanRecordsMax { get; init; } = 1_000_000;

    /// <summary>How often the bucket is counted again: other nodes write to it too.</summary>
    public TimeSpan RecountEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Looks up an environment variable.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>Draws from [0, 1) for the pauses between tries.</summary>
    public Func<double> Jitter { get; init; } = static () => RandomNumberGenerator.GetInt32(1 << 24) / (double)(1 << 24);

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
        Require(CredentialsFile is null || Path.IsPathFullyQualified(CredentialsFile), $"cache.shared.credentialsFile is \"{CredentialsFile}\"; it must be absolute, or each process would look for it elsewhere.");
        Require(Profile.Length > 0, "cache.shared.profile is empty; leave it out for [default].");
        Require(RequestsMax is >= 1 and <= 1024, $"cache.shared.requestsMax is {RequestsMax}; it must lie in 1..1024.");
        foreach (var (name, value) in new[]
        {
            ("connectTimeout", ConnectTimeout), ("idleTimeout", IdleTimeout), ("requestDeadline", RequestDeadline), ("recountEvery", RecountEvery),
        })
        {
            Require(value > TimeSpan.Zero && value <= TimeSpan.FromDays(1), $"cache.shared.{name} is {value}; it must be more than zero and at most a day.");
        }
        Require(BytesPerSecondMin >= 1, $"cache.shared.bytesPerSecondMin is {BytesPerSecondMin}; it must be at least 1.");
        Require(PutBytesPerSecondMin >= 1, $"cache.shared.putBytesPerSecondMin is {PutBytesPerSecondMin}; it must be at least 1.");
        Require(RetriesMax is >= 0 and <= 10, $"cache.shared.retriesMax is {RetriesMax}; it must lie in 0..10.");
        Require(RetryPause > TimeSpan.Zero && RetryPause <= RetryPauseMax && RetryPauseMax <= TimeSpan.FromMinutes(1),
            $"cache.shared.retryPause is {RetryPause} and retryPauseMax {RetryPauseMax}; the first must be more than zero and at most the second, that at most a minute.");
        Require(PartBytes >= 5 << 20, $"cache.shared.partBytes is {PartBytes}; S3 takes no part below {5 << 20}.");
        Require(MultipartFromBytes > PartBytes, $"cache.shared.multipartFromBytes is {MultipartFromBytes}; it must be more than one part, {PartBytes}.");
        Require(RangesFromBytes > PartBytes, $"cache.shared.rangesFromBytes is {RangesFromBytes}; it must be more than one part, {PartBytes}.");
        Require(PartsAtOnce is >= 1 and <= 64, $"cache.shared.partsAtOnce is {PartsAtOnce}; it must lie in 1..64.");
        Require(ScanRecordsMax >= 1, $"cache.shared.scanRecordsMax is {ScanRecordsMax}; it must be at least 1.");
        return errors;
    }
}
