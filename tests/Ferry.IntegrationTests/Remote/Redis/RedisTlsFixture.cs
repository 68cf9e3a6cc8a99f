using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>One Redis that speaks TLS only.</summary>
public sealed class RedisTlsFixture : IAsyncLifetime
{
    private RedisLab _lab = null!;

    public string TlsDirectory { get; } = Directory.CreateTempSubdirectory("ferry-tls-").FullName;

    public RedisPlace Place => new([("127.0.0.1", _lab.Port)], RedisLab.AuthorityFile(TlsDirectory));

    public async ValueTask InitializeAsync() => _lab = await RedisLab.StartTlsAsync(TlsDirectory);

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        Directory.Delete(TlsDirectory, recursive: true);
    }
}
