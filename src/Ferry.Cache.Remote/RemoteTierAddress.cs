namespace Ferry.Cache.Remote;

/// <summary>Where a shared tier is: its URL, and what other settings say of it.</summary>
public sealed record RemoteTierAddress(string Url)
{
    /// <summary>LMCACHE_S3_ENDPOINT_URL; null for none.</summary>
    public string? S3Endpoint { get; init; }

    /// <summary>Null: the environment's, else Ceph's default.</summary>
    public string? S3Region { get; init; }

    /// <summary>LMCache's disable_tls: http where nothing names a scheme.</summary>
    public bool S3PlainHttp { get; init; }
}
