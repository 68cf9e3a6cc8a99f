using Ferry.Cache.Remote.Redis;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>Where the servers of a test are.</summary>
/// <param name="AuthorityFile">Null without TLS.</param>
public sealed record RedisPlace(IReadOnlyList<(string Host, int Port)> Servers, string? AuthorityFile)
{
    public RedisLocation Location(string prefix) => new(Servers, AuthorityFile is not null, null, 0, prefix, AuthorityFile);

    /// <summary>A connection beside the tier's.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var configuration = new ConfigurationOptions { Ssl = AuthorityFile is not null, AllowAdmin = true };
        if (AuthorityFile is { } file)
        {
            configuration.TrustIssuer(file);
        }
        foreach (var (host, port) in Servers)
        {
            configuration.EndPoints.Add(host, port);
        }
        return await ConnectionMultiplexer.ConnectAsync(configuration);
    }
}
