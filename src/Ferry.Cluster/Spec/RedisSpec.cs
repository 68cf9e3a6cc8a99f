namespace Ferry.Cluster.Spec;

/// <summary>A Redis or Valkey.</summary>
public sealed record RedisSpec
{
    [SpecKey("address", "HOST:PORT.", Pattern = @"[A-Za-z0-9<>._-]+:[0-9]{1,5}", PatternText = "HOST:PORT", Example = "redis.example:6379")]
    public required string Address { get; init; }

    [SpecKey("password", "Where its password stands.")]
    public SecretSpec? Password { get; init; }

    [SpecKey("size", "Cap of the tier, all nodes together; left out: what the server has.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 60)]
    public long? MaximumBytes { get; init; }
}
