namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>The same over TLS, to every node of it.</summary>
public sealed class RedisTlsClusterTierTests(RedisTlsClusterFixture redis) : RedisTierContract(redis.Place), IClassFixture<RedisTlsClusterFixture>;
