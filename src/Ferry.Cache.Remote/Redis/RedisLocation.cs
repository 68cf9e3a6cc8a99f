namespace Ferry.Cache.Remote.Redis;

/// <summary>A Redis or Valkey and how to reach it: what <see cref="RedisUrl"/> makes of a URL.</summary>
/// <param name="Servers">Host and port of one server, or of some of a cluster's.</param>
/// <param name="User">Null for Redis' default user.</param>
/// <param name="Prefix">Ends with a slash, or is empty.</param>
/// <param name="AuthorityFile">PEM of the authority that signed the servers' certificates; null for the system's.</param>
public sealed record RedisLocation(IReadOnlyList<(string Host, int Port)> Servers, bool IsTls, string? User, int Database, string Prefix, string? AuthorityFile)
{
    /// <summary>For logs and errors.</summary>
    public override string ToString() =>
        $"{(IsTls ? "rediss" : "redis")}://{ServerList}/{Database}{(Prefix.Length > 0 ? "?prefix=" + Prefix.TrimEnd('/') : "")}";

    public string ServerList => string.Join(',', Servers.Select(server => $"{server.Host}:{server.Port}"));
}
