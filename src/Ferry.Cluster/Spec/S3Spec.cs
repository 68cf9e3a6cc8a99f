namespace Ferry.Cluster.Spec;

/// <summary>A bucket.</summary>
public sealed record S3Spec
{
    [SpecKey("endpoint", "URL of the server, with its scheme and port.", Pattern = @"https?://[^\s'""$`\\@?#/]+/?", PatternText = "http://HOST[:PORT] or https://HOST[:PORT], without user and path", Example = "https://s3.ceph.example")]
    public required string Endpoint { get; init; }

    [SpecKey("bucket", "The bucket.", Pattern = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", PatternText = "3 to 63 lower-case letters, digits, '.' and '-'", Example = "kv-cache")]
    public required string Bucket { get; init; }

    [SpecKey("prefix", "What every object's name begins with; clusters may share a bucket.", Pattern = @"[A-Za-z0-9._/-]{0,512}", PatternText = "letters, digits and . _ / -")]
    public string Prefix { get; init; } = "";

    [SpecKey("region", "Region that requests are signed for; Ceph takes any.", Pattern = "[A-Za-z0-9-]{1,64}", PatternText = "a region's name")]
    public string Region { get; init; } = "default";

    [SpecKey("pathStyle", "Bucket in the path (Ceph's default), not in the host name.")]
    public bool PathStyle { get; init; } = true;

    [SpecKey("accessKey", "Where the access key stands; without it the standard chain of AWS is asked.")]
    public SecretSpec? AccessKey { get; init; }

    [SpecKey("secretKey", "Where the secret key stands.")]
    public SecretSpec? SecretKey { get; init; }

    [SpecKey("size", "Cap of the tier, all nodes together; left out: none.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 60)]
    public long? MaximumBytes { get; init; }
}
