using Ferry.Cache.Remote.S3;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.S3;

/// <summary>One Ceph for all tests of the S3 tier, which run one after the other: some of them kill a gateway.</summary>
public sealed class CephFixture : IAsyncLifetime
{
    public const string Collection = "ceph";

    private static int _prefixes;

    public CephLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await CephLab.StartAsync();

    public ValueTask DisposeAsync() => Lab.DisposeAsync();

    /// <summary>A prefix that no other test uses.</summary>
    public static string NextPrefix() => $"test-{Interlocked.Increment(ref _prefixes)}/";

    public S3Location Location(int? port = null, string? prefix = null, string bucket = CephLab.Bucket) =>
        new(new Uri($"http://127.0.0.1:{port ?? Lab.GatewayPort()}"), bucket, prefix ?? NextPrefix(), "default", true, null);

    public static S3TierOptions Options(S3Location location) => new() { Location = location, Environment = Keys(CephLab.AccessKey, CephLab.SecretKey) };

    public static Func<string, string?> Keys(string accessKey, string secretKey) => name => name switch
    {
        "AWS_ACCESS_KEY_ID" => accessKey,
        "AWS_SECRET_ACCESS_KEY" => secretKey,
        _ => null,
    };

    public static S3Tier Open(S3TierOptions options, TimeProvider? time = null) => new(options, time ?? TimeProvider.System, NullLogger<S3Tier>.Instance);
}

[CollectionDefinition(CephFixture.Collection)]
public sealed class CephCollection : ICollectionFixture<CephFixture>;
