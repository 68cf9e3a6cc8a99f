using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>The shared tier as a URL, in the form that <c>ferry cache</c> and <c>ferry serve</c> take. Never with a secret in it.</summary>
internal static class SharedStore
{
    /// <returns>Null: there is none.</returns>
    public static string? Url(ClusterSpec spec) => spec.Storage switch
    {
        { S3: { } s3 } => $"s3://{s3.Bucket}/{Prefix(spec, s3)}?endpoint={s3.Endpoint.TrimEnd('/')}&region={s3.Region}&style={(s3.PathStyle ? "path" : "virtual")}",
        { Redis: { } redis } => $"redis://{redis.Address}/0?prefix={spec.Name}",
        { Directory: { } directory } => $"file://{directory.Path}",
        _ => null,
    };

    public static long? MaximumBytes(ClusterSpec spec) => spec.Storage.S3?.MaximumBytes ?? spec.Storage.Redis?.MaximumBytes ?? spec.Storage.Directory?.MaximumBytes;

    /// <summary>The bucket's own prefix, else the cluster's name, so that clusters which share a bucket do not meet.</summary>
    private static string Prefix(ClusterSpec spec, S3Spec s3) => s3.Prefix.Trim('/') is { Length: > 0 } prefix ? prefix : spec.Name;
}
