using Ferry.Cache.Eviction;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Hosting.Options;
using Ferry.Cache.Remote.Settings;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Settings;
using Ferry.UnitTests.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Hosting;

public sealed class ExchangeOptionsParserTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-exchange-options-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Parse_Nothing_IsTheExchangeOfTheDocument()
    {
        var options = Accept([]);
        Assert.Equal((new ListenAddress("127.0.0.1", 6390), null, new ListenAddress("127.0.0.1", 6391)), (options.Resp, options.Lm, options.Admin));
        Assert.Equal((4L << 30, EvictionPolicies.Default, ConvertMode.On, 256), (options.MemoryBytes, options.Policy, options.Clients.Convert, options.ChunkTokens));
        Assert.Null(options.Disk);
        Assert.Null(options.Remote);
    }

    [Fact]
    public void Parse_TheShortForm_SetsEveryPart()
    {
        var options = Accept(["--resp", "127.0.0.1:7001", "--lm", "localhost:65432", "--memory", "500MB", "--disk", "/var/lib/ferry", "--disk-size", "20GiB", "--remote", "file:///mnt/kv",
            "--models", Write("models.yaml", "models:\n  - name: m\n    layers: 2\n    kv_heads: 8\n    head_dim: 64\n"), "--convert", "log", "--quota", "a=1GiB", "b=2GB", "--drain", "90s", "--no-huge-pages"]);
        Assert.Equal((7001, new ListenAddress("localhost", 65432), 500_000_000L), (options.Resp!.Port, options.Lm, options.MemoryBytes));
        Assert.Equal(new DiskSettings("/var/lib/ferry", 20L << 30, DiskSyncPolicy.Interval), options.Disk);
        Assert.Equal("file:///mnt/kv", options.Remote!.Url);
        Assert.Equal((1L << 30, 2_000_000_000L), (options.Quotas["a"], options.Quotas["b"]));
        Assert.Equal((ConvertMode.Log, TimeSpan.FromSeconds(90), false, "m"), (options.Clients.Convert, options.Drain, options.TryHugePages, Assert.Single(options.Models.Cards).Name));
    }

    [Fact]
    public void Parse_BoundsOfTheClientStore_ReachIt()
    {
        var options = Accept(["--kept-conversions", "64MiB", "--pending", "1GiB", "--pending-halves", "9", "--pending-timeout", "5s"]);
        Assert.Equal(new ClientStoreOptions { KeptConvertedBytesMax = 64 << 20, PendingBytesMax = 1 << 30, PendingMax = 9, PendingTimeout = TimeSpan.FromSeconds(5) }, options.Clients);
    }

    [Fact]
    public void Parse_Peers_AreAskedWithTheOwnPasswordWhereverTheyAreNamed()
    {
        (string, string)[] environment = [("FERRY_RESP_PASSWORD", "a-long-password")];
        var flags = Accept(["--resp-user", "engine", "--peer", "10.0.0.2:6390", "decode-0.decode:6390", "10.0.0.2:6390", "--peer", "[fd00::2]:7000"], environment: environment);
        Assert.Equal(["peer://10.0.0.2:6390", "peer://decode-0.decode:6390", "peer://[fd00::2]:7000"], flags.Peers.Select(peer => peer.ToString()));
        Assert.All(flags.Peers, peer => Assert.Equal(("engine", "a-long-password"), (peer.User, peer.Password)));
        var file = Accept([], Write("exchange.yaml", "resp: { user: engine }\npeers: [ \"10.0.0.2:6390\", \"decode-0.decode:6390\", \"[fd00::2]:7000\" ]\n"), environment);
        Assert.Equal(flags.Peers, file.Peers);
    }

    [Theory]
    [InlineData("10.0.0.2", "write HOST:PORT")]
    [InlineData("10.0.0.2:0", "address and the port")]
    [InlineData("0.0.0.0:6390", "address and the port")]
    [InlineData("a host:6390", "name or the address")]
    public void Parse_PeerThatCannotBeAsked_IsAnError(string peer, string says) =>
        Assert.Contains(Errors(["--peer", peer]), finding => finding.Text.Contains(says, StringComparison.Ordinal));

    [Fact]
    public void Parse_PeersWithoutWhatTheyNeed_WarnOrRefuse()
    {
        Assert.Contains(Parse(["--peer", "10.0.0.2:6390"], null, false).Findings, finding => finding is { Kind: FindingKind.Warning, Name: "--peer" });
        Assert.DoesNotContain(Parse(["--peer", "127.0.0.1:6392"], null, false).Findings, finding => finding.Kind == FindingKind.Warning);
        Assert.Contains(Parse(["--peer-authority", "/ca.pem"], null, false).Findings, finding => finding is { Kind: FindingKind.Warning, Name: "--peer-authority" });
        Assert.Contains(Errors(["--peer", .. Enumerable.Range(1, 65).Select(host => $"10.0.0.{host}:6390")]), finding => finding.Text.Contains("at most 64", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_TheFile_MeansTheSameAsTheFlags()
    {
        var path = Write("exchange.yaml", """
            resp: { listen: "127.0.0.1:7001", allow_flush: true }
            lm:
              listen: off
            memory:
              size: 2GiB
              policy: Lru
            disk: { path: /var/lib/ferry, size: 20GiB, sync: every }
            convert: off
            models:
              - name: m
                layers: 2
                kv_heads: 8
                head_dim: 64
            quotas:
              tenant-a: 1GiB
            flow:
              tier_deadline: 500ms
            """);
        var file = Accept([], config: path);
        var flags = Accept(["--resp", "127.0.0.1:7001", "--allow-flush", "--memory", "2GiB", "--policy", "LRU", "--disk", "/var/lib/ferry", "--disk-size", "20GiB",
            "--disk-sync", "every", "--convert", "off", "--quota", "tenant-a=1GiB", "--tier-deadline", "500ms"]);
        Assert.Equal(flags with { Quotas = file.Quotas, Models = file.Models }, file);
        Assert.Equal((8, 64), (Assert.Single(file.Models.Cards).KvHeads, file.Models.Cards[0].HeadDim));
        Assert.Equal(1L << 30, file.Quotas["tenant-a"]);
    }

    [Fact]
    public void Parse_OneSettingInFourPlaces_TheNearestWins()
    {
        var lmcache = Write("lmcache.yaml", "max_local_cpu_size: 1.0\nchunk_size: 64\ncache_policy: \"LRU\"\n");
        var exchange = Write("exchange.yaml", "memory:\n  size: 3GiB\n");
        (string, string)[] environment = [("LMCACHE_CONFIG_FILE", lmcache), ("LMCACHE_MAX_LOCAL_CPU_SIZE", "2.0"), ("LMCACHE_CHUNK_SIZE", "128")];
        Assert.Equal((1L << 30, 64), (Accept([], environment: environment[..1]).MemoryBytes, Accept([], environment: environment[..1]).ChunkTokens));
        Assert.Equal((2L << 30, 128), (Accept([], environment: environment).MemoryBytes, Accept([], environment: environment).ChunkTokens));
        Assert.Equal(3L << 30, Accept([], exchange, environment).MemoryBytes);
        Assert.Equal(4L << 30, Accept(["--memory", "4GiB"], exchange, environment).MemoryBytes);
    }

    [Theory]
    [InlineData("sender", "20.0", "100.0")]
    [InlineData("receiver", "15.0", "50.0")]
    public void Parse_TheGuidesBlock_IsHonouredWordByWord(string role, string memoryGiB, string diskGiB)
    {
        var result = Parse([], null, false,
            ("HSA_FORCE_FINE_GRAIN_PCIE", "1"), ("UCX_TLS", "rc,rocm,sm,self"), ("VLLM_NIXL_SIDE_CHANNEL_HOST", "10.0.0.1"),
            ("LMCACHE_LOCAL_CPU", "True"), ("LMCACHE_MAX_LOCAL_CPU_SIZE", memoryGiB), ("LMCACHE_LOCAL_DISK", "/tmp/lmcache"), ("LMCACHE_MAX_LOCAL_DISK_SIZE", diskGiB),
            ("LMCACHE_CACHE_POLICY", "LRU"), ("LMCACHE_ENABLE_PD", "True"), ("LMCACHE_PD_ROLE", role), ("LMCACHE_TRANSFER_CHANNEL", "nixl"),
            ("LMCACHE_CHUNK_SIZE", "256"), ("LMCACHE_SAVE_DECODE_CACHE", "False"));
        Assert.DoesNotContain(result.Findings, finding => finding.Kind != FindingKind.Honoured);
        Assert.Equal(10, result.Findings.Count);
        var options = Assert.IsType<ExchangeOptions>(result.Options);
        Assert.Equal(((long)(double.Parse(memoryGiB, System.Globalization.CultureInfo.InvariantCulture) * (1L << 30)), "lru", 256), (options.MemoryBytes, options.Policy, options.ChunkTokens));
        Assert.Equal(new DiskSettings("/tmp/lmcache", (long)double.Parse(diskGiB, System.Globalization.CultureInfo.InvariantCulture) << 30, DiskSyncPolicy.Interval), options.Disk);
    }

    [Theory]
    [InlineData("s3://s3.ceph.example/nixl/", "http://s3.ceph.example")]
    [InlineData("s3://nixl?endpoint=http://s3.ceph.example:7480", null)]
    [InlineData("s3://nixl.s3.ceph.example", null)]
    public void Parse_BucketsOfTheGuideAndOfLmCache_AreTiers(string url, string? endpoint)
    {
        (string, string)[] environment = [("LMCACHE_REMOTE_URL", url), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_DEFAULT_REGION", "default"),
            .. endpoint is null ? [] : (ValueTuple<string, string>[])[("LMCACHE_S3_ENDPOINT_URL", endpoint)]];
        var result = Parse([], null, false, environment);
        Assert.DoesNotContain(result.Findings, finding => finding.Kind != FindingKind.Honoured);
        Assert.Equal((url, endpoint, "default"), (result.Options!.Remote!.Url, result.Options.Remote.Options.S3Endpoint, result.Options.Remote.Options.S3Region));
    }

    [Theory]
    [InlineData("--memmory", "4GiB", "--memory")]
    [InlineData("--disk-sise", "4GiB", "--disk-size")]
    [InlineData("--rsep", "127.0.0.1:1", "--resp")]
    [InlineData("--no-huge-page", "", "--no-huge-pages")]
    public void Parse_UnknownFlag_IsAnErrorWithTheNearestName(string written, string value, string nearest)
    {
        var error = Assert.Single(Errors([written, .. value.Length > 0 ? [value] : (string[])[]]));
        Assert.Equal($"{written} is no flag of 'ferry cache'. Did you mean {nearest}?", error.Text);
    }

    [Theory]
    [InlineData("LMCACHE_MAX_LOCAL_CPU_SIZ", "1", "Did you mean LMCACHE_MAX_LOCAL_CPU_SIZE?")]
    [InlineData("LMCACHE_ENABLE_NIXL", "True", "no longer has it")]
    [InlineData("LMCACHE_NIXL_ROLE", "sender", "old name of LMCACHE_PD_ROLE")]
    [InlineData("LMCACHE_GDS_PATH", "/x", "LMCACHE_LOCAL_DISK")]
    [InlineData("LMCACHE_REMOTE_STORAGE_PLUGINS", "x", "LMCACHE_REMOTE_URL")]
    [InlineData("LMCACHE_EXTRA_CONFIG", "{\"s3_regoin\":\"x\"}", "Did you mean s3_region?")]
    [InlineData("LMCACHE_REMOTE_URL", "lm://host:1", "this build has")]
    [InlineData("FERRY_RESP_PASWORD", "secret-words", "Did you mean FERRY_RESP_PASSWORD?")]
    public void Parse_NameThatCannotBeUsed_StopsTheStartUnlessLenient(string name, string value, string text)
    {
        Assert.Contains(text, Assert.Single(Errors([], environment: (name, value))).Text, StringComparison.Ordinal);
        var lenient = Parse([], null, true, (name, value));
        Assert.NotNull(lenient.Options);
        Assert.Contains(lenient.Findings, finding => finding.Kind == FindingKind.Warning && finding.Text.Contains(text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("LMCACHE_LOCAL_CPU", "False")]
    [InlineData("LMCACHE_LOCAL_CPU", "yes")]
    [InlineData("LMCACHE_MAX_LOCAL_CPU_SIZE", "many")]
    [InlineData("LMCACHE_LOCAL_DISK", "file:/tmp/x")]
    [InlineData("LMCACHE_LOCAL_DISK", "false")]
    [InlineData("LMCACHE_CACHE_POLICY", "RANDOM")]
    [InlineData("LMCACHE_EXTRA_CONFIG", "{'s3_region': 'x'}")]
    public void Parse_WrongValue_StopsTheStartAlsoWhenLenient(string name, string value) =>
        Assert.Contains(Parse([], null, true, (name, value)).Findings, finding => finding.Kind == FindingKind.Error && finding.Name == name);

    [Fact]
    public void Parse_SeveralMistakes_ReportsAllAtOnceWithTheirPlaces()
    {
        var path = Write("bad.yaml", "memory:\n  size: 4 GigaBytes\n  polcy: LRU\ndisk:\n  path: /var/lib/ferry\nchunk_sise: 256\n");
        var errors = Errors(["--resp", "6390", "--drain", "soon"], path, ("LMCACHE_CHUNK_SIZE", "-1"));
        Assert.Equal(
            ["LMCACHE_CHUNK_SIZE @", "--memory @" + path + ":2:9", "memory.polcy @" + path + ":3:10", "chunk_sise @" + path + ":6:13", "--resp @", "--drain @", "--disk-size @"],
            errors.Select(error => $"{error.Name} @{error.Place}"));
        Assert.EndsWith("Did you mean memory.policy?", errors[2].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory: {size: 1GiB", ":2:1")]
    [InlineData("memory:\n  size: 1GiB\n  size: 2GiB\n", ":3:")]
    [InlineData("- a\n- b\n", ":1:1")]
    [InlineData("a: 1\n---\nb: 2\n", "")]
    public void Parse_FileThatIsNoConfiguration_SaysWhere(string text, string place)
    {
        var path = Write("bad.yaml", text);
        var error = Assert.Single(Errors([], path));
        Assert.Equal("--config", error.Name);
        Assert.Contains(place, error.Place, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_FileOfNestedAliases_IsRefusedAndNotUnfolded()
    {
        var lines = new List<string> { "a0: &a0 {x: 1, y: 1, z: 1}" };
        for (var level = 1; level < 30; level++)
        {
            lines.Add($"a{level}: &a{level} {{x: *a{level - 1}, y: *a{level - 1}, z: *a{level - 1}}}");
        }
        var errors = Errors([], Write("bomb.yaml", string.Join('\n', lines)));
        Assert.Single(errors, error => error.Text.Contains("nested deeper", StringComparison.Ordinal));
        Assert.InRange(errors.Count, 1, 10_001);
    }

    [Theory]
    [InlineData("--admin", "10.0.0.2:7000", "FERRY_ADMIN_TOKEN")]
    [InlineData("--resp", "10.0.0.9:7000", "no address of this machine")]
    [InlineData("--lm", "127.0.0.1:6390", "both take port 6390")]
    [InlineData("--memory", "60GiB", "nine tenths")]
    [InlineData("--memory", "4", "Did you forget the unit")]
    [InlineData("--disk-size", "20GiB", "")]
    public void Parse_SettingsThatDoNotFit_NameTheWayOut(string name, string value, string text)
    {
        var result = Parse([name, value], null, false);
        Assert.Contains(result.Findings, finding => finding.Kind != FindingKind.Honoured && finding.Text.Contains(text, StringComparison.Ordinal) && finding.Text.Length > 20);
    }

    [Fact]
    public void Parse_EveryNameOfLmCache_LeavesAFinding()
    {
        foreach (var setting in LmCacheSettings.Exchange.All)
        {
            Assert.Contains(Parse([], null, true, (setting.Name, "1")).Findings, finding => finding.Name == setting.Name || setting.Name is "LMCACHE_EXTRA_CONFIG");
        }
    }

    [Fact]
    public void Report_Secrets_AreNotShown()
    {
        var result = Parse(["--remote", "s3://user:hush-1@host/bucket"], null, true, ("AWS_SECRET_ACCESS_KEY", "hush-2"), ("AWS_ACCESS_KEY_ID", "hush-3"), ("FERRY_RESP_PASSWORD", "hush-4"),
            ("FERRY_ADMIN_TOKEN", "hush-5"), ("LMCACHE_EXTRA_CONFIG", """{"aws_secret_access_key":"hush-6","aws_secret":"hush-7"}"""));
        var text = StartupReport.ToText(result.Findings) + StartupReport.ToJson(result.Findings).ToJsonString() + result.Options;
        Assert.DoesNotContain("hush", text, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static ExchangeOptionsResult Parse(string[] words, string? config, bool lenient, params (string Name, string Value)[] environment) =>
        ExchangeOptionsParser.Parse(words, config, lenient, environment.ToDictionary(pair => pair.Name, pair => pair.Value), new FakeMachine());

    private static ExchangeOptions Accept(string[] words, string? config = null, params (string Name, string Value)[] environment)
    {
        var result = Parse(words, config, false, environment);
        Assert.DoesNotContain(result.Findings, finding => finding.Kind == FindingKind.Error);
        return result.Options!;
    }

    private static List<Finding> Errors(string[] words, string? config = null, params (string Name, string Value)[] environment)
    {
        var result = Parse(words, config, false, environment);
        Assert.Null(result.Options);
        return [.. result.Findings.Where(finding => finding.Kind == FindingKind.Error)];
    }
}
