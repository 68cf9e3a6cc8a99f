using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>The secrets of a cluster, each by where it stands. What the description does not place is expected in an environment variable of its usual name.</summary>
internal sealed class SecretBook(ClusterSpec spec)
{
    public PlannedSecret RespPassword =>
        Resolve(spec.Cache.Password, "FERRY_RESP_PASSWORD", "password of the exchange, the same on every node (openssl rand -hex 32)");

    public PlannedSecret SharedSecret =>
        Resolve(null, "FERRY_SHARED_SECRET", "proved by both ends of every connection between nodes, the same on every node (openssl rand -hex 32)");

    public PlannedSecret AdminToken => Resolve(null, "FERRY_ADMIN_TOKEN", "token of the exchange's admin port (openssl rand -hex 32)");

    public PlannedSecret? HuggingFaceToken => spec.Model.Token is { } token ? Resolve(token, "HF_TOKEN", "Hugging Face token of the gated model") : null;

    /// <summary>Keys of the shared tier; none where the standard chain of AWS finds them, or nothing is asked for.</summary>
    public IEnumerable<PlannedSecret> Storage()
    {
        if (spec.Storage.S3 is { AccessKey: { } access, SecretKey: { } secret })
        {
            yield return Resolve(access, "AWS_ACCESS_KEY_ID", "access key of the bucket");
            yield return Resolve(secret, "AWS_SECRET_ACCESS_KEY", "secret key of the bucket");
        }
        if (spec.Storage.Redis is { Password: { } password })
        {
            yield return Resolve(password, "REDISCLI_AUTH", "password of the shared Redis");
        }
    }

    private PlannedSecret Resolve(SecretSpec? place, string variable, string purpose) => new(
        variable,
        place?.File ?? (place?.Docker is { } docker ? $"/run/secrets/{docker}" : null),
        place?.Environment ?? variable,
        place?.Kubernetes?.Name ?? $"{spec.Name}-secrets",
        place?.Kubernetes?.Key ?? variable.ToLowerInvariant().Replace('_', '-'),
        purpose);
}
