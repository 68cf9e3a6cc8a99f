namespace Ferry.Cache.Remote;

/// <summary>What a shared tier takes beside its URL. What a kind of store cannot honour is an error, not a silence.</summary>
public sealed record RemoteTierOptions
{
    /// <summary>Bytes of all records in it, whoever wrote them; null for no limit.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>A record of that age is a miss and is deleted: since it was last read (directory, Redis) or written (S3). Null to keep records until there is no room.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>Whether a record must be on the medium before it counts as stored. Directory only: S3 promises it always, Redis never.</summary>
    public bool FlushToDisk { get; init; }

    /// <summary>S3: an AWS credentials file. Redis: a file that holds the password and nothing else. Null for the environment.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>LMCACHE_S3_ENDPOINT_URL, for a URL that does not name its endpoint.</summary>
    public string? S3Endpoint { get; init; }

    /// <summary>AWS_DEFAULT_REGION or LMCache's s3_region; null for Ceph's <c>default</c>.</summary>
    public string? S3Region { get; init; }

    /// <summary>LMCache's disable_tls, for <c>s3://bucket.host</c>, which names no scheme.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Looks up an environment variable: credentials come from there and are never part of these options.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;
}
