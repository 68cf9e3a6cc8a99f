using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Redis;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.Redis;

public sealed class RedisUrlTests
{
    [Theory]
    [InlineData("redis://cache", "redis://cache:6379/0", null)]
    [InlineData("redis://127.0.0.1:6380/3?prefix=team/a", "redis://127.0.0.1:6380/3?prefix=team/a", null)]
    [InlineData("rediss://ferry@cache.example:6380?ca=/etc/ca.pem", "rediss://cache.example:6380/0", null)]
    [InlineData("valkey://cache", "redis://cache:6379/0", null)]
    [InlineData("redis://a:1,b:2,c", "redis://a:1,b:2,c:6379/0", null)]
    [InlineData("redis://[::1]:6379", "redis://::1:6379/0", null)]
    [InlineData("redis://", null, "is no host with a port")]
    [InlineData("redis://a:99999", null, "\"a:99999\" is no host with a port")]
    [InlineData("redis://a:0", null, "is no host with a port")]
    [InlineData("redis://a,,b", null, "is no host with a port")]
    [InlineData("redis://a/16", null, "the number of a database, 0 to 15")]
    [InlineData("redis://a/prefix", null, "A prefix is ?prefix=NAME")]
    [InlineData("redis://a,b/1", null, "a cluster has database 0 only")]
    [InlineData("redis://a?prefix=a//b", null, "the prefix \"a//b\"")]
    [InlineData("redis://a?prefix={x}", null, "the prefix")]
    [InlineData("redis://a?perfix=x", null, "Did you mean prefix?")]
    [InlineData("redis://a?ca=/x", null, "and the scheme rediss")]
    [InlineData("redis://user:verysecret@a", null, "holds a password")]
    [InlineData("redis://:verysecret@a", null, "holds a password")]
    [InlineData("redis://a?password=verysecret", null, "holds a secret (password)")]
    public void TryParse_Form_GivesThePlaceOrTheWayOut(string url, string? place, string? error)
    {
        var errors = new List<string>();
        var location = RedisUrl.TryParse(url, errors);
        Assert.Equal(place, location?.ToString());
        Assert.Equal(error is null, errors.Count == 0);
        Assert.All(errors, text => Assert.DoesNotContain("verysecret", text));
        if (error is not null)
        {
            Assert.Contains(errors, text => text.Contains(error, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void TryParse_User_IsDecodedAndNotShown()
    {
        var location = RedisUrl.TryParse("redis://te%40m@cache", [])!;
        Assert.Equal("te@m", location.User);
        Assert.DoesNotContain("te@m", location.ToString());
    }

    [Fact]
    public void Validate_Schemes_AreKnownToTheFrontDoor() =>
        Assert.All(["redis://a", "rediss://a", "valkey://a", "s3://kvcache?endpoint=http://a", "file:///x"], url => Assert.Empty(RemoteTiers.Validate(url, new RemoteTierOptions())));

    [Theory]
    [InlineData("redis://u:p@h/0", "redis://…@h/0")]
    [InlineData("redis://u:p@ss@h", "redis://…@h")]
    [InlineData("redis://:p/a/s@h", "redis://…@h")]
    [InlineData("s3://b?x=1&my_secret=2&token=3", "s3://b?x=1&my_secret=…&token=…")]
    [InlineData("no url at all", "no url at all")]
    [InlineData("user:pass@nothing", "…@nothing")]
    public void ForDisplay_Url_HidesWhatMayBeASecret(string url, string shown) => Assert.Equal(shown, TierUrl.ForDisplay(url));
}
