namespace Ferry.Cache.Remote.S3;

/// <summary>A bucket and how to reach it: what <see cref="S3Url"/> makes of a URL.</summary>
/// <param name="Endpoint">Scheme, host and port of the store, without the bucket; plain http only where that was asked for.</param>
/// <param name="Prefix">Ends with a slash, or is empty.</param>
/// <param name="Region">What requests are signed for; Ceph takes <c>default</c>.</param>
/// <param name="IsPathStyle">True: <c>http://host/bucket/key</c>. False: <c>http://bucket.host/key</c>, which needs the name in DNS and, with Ceph, <c>rgw_dns_name</c>.</param>
/// <param name="AuthorityFile">PEM of the authority that signed the endpoint's certificate; null for the system's.</param>
public sealed record S3Location(Uri Endpoint, string Bucket, string Prefix, string Region, bool IsPathStyle, string? AuthorityFile)
{
    /// <summary>For logs and errors.</summary>
    public override string ToString() => $"s3://{Bucket}/{Prefix} at {Endpoint.GetLeftPart(UriPartial.Authority)}";
}
