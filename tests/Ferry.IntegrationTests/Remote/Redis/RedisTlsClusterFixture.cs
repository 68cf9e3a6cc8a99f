using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>One Redis Cluster that speaks TLS only.</summary>
public sealed class RedisTlsClusterFixture : IAsyncLifetime
{
    private readonly string _tlsDirectory = Directory.CreateTempSubdirectory("ferry-tls-").FullName;
    private RedisClusterLab _lab = null!;

    public RedisPlace Place => new([("127.0.0.1", _lab.Nodes[0].Port)], RedisLab.AuthorityFile(_tlsDirectory));

    public async ValueTask InitializeAsync() => _lab = await RedisClusterLab.StartAsync(_tlsDirectory);

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        Directory.Delete(_tlsDirectory, recursive: true);
    }
}
