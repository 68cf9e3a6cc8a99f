using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>One Redis Cluster.</summary>
public sealed class RedisClusterFixture : IAsyncLifetime
{
    public RedisClusterLab Lab { get; private set; } = null!;

    public RedisPlace Place => new([("127.0.0.1", Lab.Nodes[0].Port)], null);

    public async ValueTask InitializeAsync() => Lab = await RedisClusterLab.StartAsync();

    public ValueTask DisposeAsync() => Lab.DisposeAsync();
}
