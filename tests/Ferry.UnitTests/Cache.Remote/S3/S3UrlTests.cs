using CsCheck;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.S3;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.S3;

/// <summary>Every form in which a bucket is written, and every one that is refused with the form that works.</summary>
public sealed class S3UrlTests
{
    [Theory]
    // Ferry's own.
    [InlineData("s3://kv?endpoint=http://127.0.0.1:7480", null, "http://127.0.0.1:7480 kvX path default", "kv")]
    [InlineData("s3://kvcache?endpoint=http://127.0.0.1:7480", null, "http://127.0.0.1:7480 kvcache  path default", null)]
    [InlineData("s3://kvcache/?endpoint=http://127.0.0.1:7480/", null, "http://127.0.0.1:7480 kvcache  path default", null)]
    [InlineData("s3://kvcache/team-a/prod?endpoint=http://127.0.0.1:7480&region=default&style=path", null, "http://127.0.0.1:7480 kvcache team-a/prod/ path default", null)]
    [InlineData("s3://kvcache?endpoint=https%3A%2F%2Fs3.ceph.example&style=virtual&region=eu-1", null, "https://s3.ceph.example kvcache  virtual eu-1", null)]
    [InlineData("s3://kvcache?endpoint=https://s3.ceph.example:8443&ca=/etc/ssl/ceph.pem", null, "https://s3.ceph.example:8443 kvcache  path default", null)]
    [InlineData("s3://my.bucket?endpoint=http://127.0.0.1:7480", null, "http://127.0.0.1:7480 my.bucket  path default", null)]
    [InlineData("s3://kvcache?endpoint=http://[::1]:7480", null, "http://[::1]:7480 kvcache  path default", null)]
    // The endpoint given apart.
    [InlineData("s3://kvcache", "http://127.0.0.1:7480", "http://127.0.0.1:7480 kvcache  path default", null)]
    [InlineData("s3://kvcache/p", "http://ceph:7480/", "http://ceph:7480 kvcache p/ path default", null)]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480", "http://ceph:7480/", "http://ceph:7480 kvcache  path default", null)]
    // The guide's: the host is the endpoint's, the bucket comes first in the path.
    [InlineData("s3://s3.ceph.example/nixl/", "http://s3.ceph.example", "http://s3.ceph.example nixl  path default", null)]
    [InlineData("s3://s3.ceph.example/nixl/cluster-1", "http://s3.ceph.example", "http://s3.ceph.example nixl cluster-1/ path default", null)]
    [InlineData("s3://S3.Ceph.Example/nixl", "http://s3.ceph.example:7480", "http://s3.ceph.example:7480 nixl  path default", null)]
    [InlineData("s3://localhost:8080/bench", "http://localhost:8080", "http://localhost:8080 bench  path default", null)]
    [InlineData("s3://s3.ceph.example:80/nixl", "http://s3.ceph.example", "http://s3.ceph.example nixl  path default", null)]
    // LMCache's: virtual hosted.
    [InlineData("s3://nixl.s3.ceph.example", null, "https://s3.ceph.example nixl  virtual default", null)]
    [InlineData("s3://nixl.s3.ceph.example/", null, "https://s3.ceph.example nixl  virtual default", null)]
    [InlineData("s3://nixl.ceph:7480", null, "https://ceph:7480 nixl  virtual default", null)]
    [InlineData("s3://nixl.s3.ceph.example", "http://s3.ceph.example:7480", "http://s3.ceph.example:7480 nixl  virtual default", null)]
    [InlineData("s3://my.nixl.s3.ceph.example/p", "http://s3.ceph.example", "http://s3.ceph.example my.nixl p/ virtual default", null)]
    // AWS itself.
    [InlineData("s3://kvcache/p?region=eu-central-1", null, "https://s3.eu-central-1.amazonaws.com kvcache p/ virtual eu-central-1", null)]
    // Refused.
    [InlineData("s3://", null, null, "it names no endpoint. Write s3://BUCKET?endpoint=http://HOST:PORT")]
    [InlineData("s3://kvcache", null, null, "it names no endpoint. Write s3://kvcache?endpoint=http://HOST:PORT, or set LMCACHE_S3_ENDPOINT_URL")]
    [InlineData("s3://kvcache?region=default", null, null, "it names no endpoint")]
    [InlineData("s3://s3.ceph.example/nixl/", null, null, "Write s3://nixl?endpoint=https://s3.ceph.example, or set LMCACHE_S3_ENDPOINT_URL=https://s3.ceph.example beside it")]
    [InlineData("s3://localhost:8080/bench", null, null, "Write s3://bench?endpoint=https://localhost:8080")]
    [InlineData("s3://127.0.0.1:7480/kv", null, null, "Write s3://kv?endpoint=https://127.0.0.1:7480")]
    [InlineData("s3://127.0.0.1", null, null, "cannot be told")]
    [InlineData("s3://my.bucket", null, null, "whether my.bucket is a bucket or bucket my at host bucket cannot be told")]
    [InlineData("s3://s3.ceph.example", "http://s3.ceph.example", null, "it names the endpoint and no bucket. Write s3://BUCKET?endpoint=http://s3.ceph.example")]
    [InlineData("s3://other.example:9000/nixl", "http://s3.ceph.example", null, "its host other.example:9000 is not the endpoint's, s3.ceph.example. Write s3://nixl?endpoint=http://s3.ceph.example")]
    [InlineData("s3://s3.ceph.example", null, null, "\"s3\" is no bucket's name: 3 to 63")]
    [InlineData("s3://KvCache?endpoint=http://ceph:7480", null, null, "\"KvCache\" is no bucket's name")]
    [InlineData("s3://kv_cache?endpoint=http://ceph:7480", null, null, "\"kv_cache\" is no bucket's name")]
    [InlineData("s3://-kvcache?endpoint=http://ceph:7480", null, null, "is no bucket's name")]
    [InlineData("s3://kv..cache?endpoint=http://ceph:7480", null, null, "is no bucket's name")]
    [InlineData("s3://10.0.0.1?endpoint=http://ceph:7480", null, null, "is no bucket's name")]
    [InlineData("s3://kvcache/../etc?endpoint=http://ceph:7480", null, null, "the prefix \"../etc\"")]
    [InlineData("s3://kvcache/a//b?endpoint=http://ceph:7480", null, null, "the prefix \"a//b\"")]
    [InlineData("s3://kvcache/a%20b?endpoint=http://ceph:7480", null, null, "the prefix")]
    [InlineData("s3://kvcache?endpoint=ceph:7480", null, null, "it must be http://host:port or https://host:port and nothing more")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480/path", null, null, "nothing more")]
    [InlineData("s3://kvcache?endpoint=ftp://ceph", null, null, "nothing more")]
    [InlineData("s3://kvcache", "ceph:7480", null, "LMCACHE_S3_ENDPOINT_URL is \"ceph:7480\"")]
    [InlineData("s3://kvcache?endpoint=http://a:1", "http://b:1", null, "they must agree, or one of them go")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&stile=path", null, null, "stile is not known; known are endpoint, region, style, ca. Did you mean style?")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&style=dns", null, null, "style is \"dns\"; it must be path")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&region=a/b", null, null, "the region \"a/b\"")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&style=path&style=path", null, null, "style stands there twice")]
    [InlineData("s3://kvcache?endpoint=http://10.0.0.1:7480&style=virtual", null, null, "no bucket can stand before the address 10.0.0.1")]
    [InlineData("s3://my.bucket?endpoint=https://ceph.example&style=virtual", null, null, "does not cover a bucket with a dot")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&ca=/etc/ca.pem", null, null, "and the endpoint https")]
    [InlineData("s3://kvcache?endpoint=https://ceph:7480&ca=ca.pem", null, null, "absolute path of a PEM file")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480#x", null, null, "a part behind # has no meaning")]
    [InlineData("s3://kv cache?endpoint=http://ceph:7480", null, null, "without blanks")]
    public void TryParse_Form_GivesThePlaceOrTheFormThatWorks(string url, string? endpoint, string? place, string? error)
    {
        var errors = new List<string>();
        var location = S3Url.TryParse(url, endpoint, null, plainHttp: false, errors);
        if (place is null)
        {
            Assert.Null(location);
            Assert.Contains(errors, text => text.Contains(error!, StringComparison.Ordinal));
        }
        else if (error is not null)
        {
            Assert.Contains("\"kv\" is no bucket's name", Assert.Single(errors)); // Two letters.
        }
        else
        {
            Assert.Empty(errors);
            Assert.Equal(place, $"{location!.Endpoint.GetLeftPart(UriPartial.Authority)} {location.Bucket} {location.Prefix} {(location.IsPathStyle ? "path" : "virtual")} {location.Region}");
        }
    }

    [Theory]
    [InlineData("s3://AKIAEXAMPLE:verysecret@kvcache?endpoint=http://ceph:7480")]
    [InlineData("s3://AKIAEXAMPLE:very/secret@kvcache?endpoint=http://ceph:7480")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&secret_access_key=verysecret")]
    [InlineData("s3://kvcache?endpoint=http://ceph:7480&AWS_SECRET_ACCESS_KEY=verysecret&region=x")]
    [InlineData("s3://kvcache?endpoint=http://user:verysecret@ceph:7480")]
    [InlineData("s3://kvcache?token=verysecret")]
    [InlineData("s3://AKIAEXAMPLE:very?secret@kvcache?endpoint=http://ceph:7480")]
    [InlineData("s3://AKIAEXAMPLE:very#secret@kvcache?endpoint=http://ceph:7480")]
    [InlineData("redis://:very?secret@cache")]
    [InlineData("redis://:very/secret@cache/0")]
    public void Validate_UrlWithASecret_IsRefusedAndNeverRepeated(string url)
    {
        var errors = RemoteTiers.Validate(url, new RemoteTierOptions());
        Assert.NotEmpty(errors);
        Assert.All(errors, error => Assert.DoesNotContain("secret@", error));
        Assert.All(errors, error => Assert.DoesNotContain("verysecret", error));
        Assert.All(errors, error => Assert.DoesNotContain("AKIAEXAMPLE", error));
    }

    [Fact]
    public void Validate_AnyText_GivesErrorsAndNeverThrows() =>
        Gen.Select(Gen.Int[0, 4].Select(index => new[] { "s3://", "redis://", "rediss://", "file://", "" }[index]), Gen.OneOf(Gen.String, Gen.String[Gen.Char["ab1.:/?&=@#%-[]endpoithr"], 0, 60]))
            .Sample((scheme, rest) => RemoteTiers.Validate(scheme + rest, new RemoteTierOptions { S3Endpoint = rest.Length % 2 == 0 ? "http://h:1" : null }) is not null);

    [Fact]
    public void TryParse_RegionOfTheEnvironmentAndTlsOff_AreTaken()
    {
        var errors = new List<string>();
        var location = S3Url.TryParse("s3://nixl.s3.ceph.example", null, "here", plainHttp: true, errors)!;
        Assert.Equal(("http", "here"), (location.Endpoint.Scheme, location.Region));
        Assert.Equal("s3://nixl/ at http://s3.ceph.example", location.ToString());
    }

    [Fact]
    public void Validate_EverythingWrongAtOnce_SaysAllOfIt()
    {
        var errors = RemoteTiers.Validate("s3://KV/a//b?endpoint=http://ceph&style=x&region=!", new RemoteTierOptions());
        Assert.Equal(4, errors.Count);
    }

    [Fact]
    public void Validate_OptionsThatDoNothing_AreErrors()
    {
        Assert.Contains(RemoteTiers.Validate("file:///x", new RemoteTierOptions { S3Endpoint = "http://ceph" }), error => error.Contains("no S3", StringComparison.Ordinal));
        Assert.Contains(RemoteTiers.Validate("file:///x", new RemoteTierOptions { CredentialsFile = "/y" }), error => error.Contains("a directory takes none", StringComparison.Ordinal));
        Assert.Contains(RemoteTiers.Validate("redis://h", new RemoteTierOptions { PlainHttp = true }), error => error.Contains("disable_tls", StringComparison.Ordinal));
        Assert.Contains(RemoteTiers.Validate("redis://h", new RemoteTierOptions { FlushToDisk = true }), error => error.Contains("Turn it off", StringComparison.Ordinal));
        Assert.Contains(RemoteTiers.Validate("s3://kvcache?endpoint=http://c", new RemoteTierOptions { CapacityBytes = 0 }), error => error.Contains("at least 1", StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_OptionsOutOfTheirLimits_NameEachWithItsValue()
    {
        var options = new S3TierOptions
        {
            Location = new S3Location(new Uri("http://ceph"), "kvcache", "", "default", true, null),
            CapacityBytes = -1,
            ExpireAfter = TimeSpan.Zero,
            CredentialsFile = "relative",
            Profile = "",
            RequestsMax = 0,
            IdleTimeout = TimeSpan.Zero,
            BytesPerSecondMin = 0,
            RetriesMax = 11,
            RetryPause = TimeSpan.FromMinutes(2),
            PartBytes = 1,
            MultipartFromBytes = 0,
            RangesFromBytes = 0,
            PartsAtOnce = 65,
            ScanRecordsMax = 0,
        };
        Assert.Equal(14, options.Validate().Count);
        Assert.DoesNotContain(options.Validate(), error => !error.Contains("it must", StringComparison.Ordinal) && !error.Contains("; ", StringComparison.Ordinal));
    }
}
