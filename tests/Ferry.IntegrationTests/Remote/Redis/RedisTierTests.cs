namespace Ferry.IntegrationTests.Remote.Redis;

public sealed class RedisTierTests(RedisFixture redis) : RedisTierContract(redis.Place), IClassFixture<RedisFixture>;
