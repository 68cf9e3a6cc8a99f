using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Layout;
using Ferry.Kv.Settings;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Serving.Options;

public sealed class ServeOptionsParserTests
{
    private const string Producer = """{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}""";

    [Fact]
    public void Parse_ModelOnly_HasTheDefaultsOfTheDocument()
    {
        var options = Accept(["models/tiny"]);
        Assert.Equal(("0.0.0.0", 8000, 16, (int?)null, 16, 1), (options.Host, options.Port, options.Engine.MaxNumSeqs, options.Engine.MaxNumBatchedTokens, options.Engine.BlockTokens, options.Engine.TensorParallelSize));
        Assert.Equal(["models/tiny"], options.ServedModelNames);
        Assert.Null(options.Exchange);
        Assert.True(options.Engine.EnableChunkedPrefill && options.Engine.EnablePrefixCaching);
    }

    [Fact]
    public void Parse_TheGuidesPrefillNode_IsHonouredWithNamedWarnings()
    {
        var result = Parse(
            ["models/tiny", "--tensor-parallel-size", "4", "--max-num-seqs", "512", "--max-model-len", "8192", "--gpu-memory-utilization", "0.90", "--enable-chunked-prefill",
             "--enable-prefix-caching", "--kv-transfer-config", Producer, "--port", "8000", "--trust-remote-code", "--device", "mi300x"],
            ("UCX_TLS", "rc,rocm,sm,self"), ("VLLM_NIXL_SIDE_CHANNEL_HOST", "10.0.0.2"), ("VLLM_NIXL_SIDE_CHANNEL_PORT", "50051"), ("LMCACHE_LOCAL_CPU", "True"),
            ("LMCACHE_MAX_LOCAL_CPU_SIZE", "2.0"), ("LMCACHE_LOCAL_DISK", "/tmp/lmcache"), ("LMCACHE_MAX_LOCAL_DISK_SIZE", "100.0"), ("LMCACHE_CACHE_POLICY", "LRU"),
            ("LMCACHE_ENABLE_PD", "True"), ("LMCACHE_PD_ROLE", "sender"), ("LMCACHE_TRANSFER_CHANNEL", "nixl"), ("LMCACHE_CHUNK_SIZE", "256"), ("LMCACHE_SAVE_DECODE_CACHE", "False"), ("FERRY_SHARED_SECRET", "0123456789abcdef"),
            ("HSA_FORCE_FINE_GRAIN_PCIE", "1"));
        var options = Assert.IsType<ServeOptions>(result.Options);
        Assert.Equal((4, 512, 8192, 16), (options.Engine.TensorParallelSize, options.Engine.MaxNumSeqs, options.Engine.MaxModelLen, options.Engine.BlockTokens));
        Assert.Equal((long)(0.9 * (64L << 30)), options.Engine.MemoryBudgetBytes);
        var exchange = Assert.IsType<ExchangeSettings>(options.Exchange);
        Assert.Equal((KvRole.Producer, "10.0.0.2", 50051, 256, 8L << 30), (exchange.Role, exchange.SideChannelHost, exchange.SideChannelPort, exchange.ChunkTokens, exchange.MemoryTierBytes));
        string[] warned = [.. result.Findings.Where(finding => finding.Kind == FindingKind.Warning).Select(finding => finding.Name).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(["--trust-remote-code", "HSA_FORCE_FINE_GRAIN_PCIE", "kv_connector"], warned);
    }

    [Fact]
    public void Parse_EverySettingGiven_LeavesAFindingForEach()
    {
        foreach (var setting in ServeFlags.Explained.Concat(ServeFlags.Refused))
        {
            string[] words = setting.IsSwitch ? [setting.Name] : [setting.Name, "x"];
            Assert.Contains(Parse(["models/tiny", .. words]).Findings, finding => finding.Name == setting.Name && finding.Kind != FindingKind.Honoured && finding.Text.Length > 20);
        }
        foreach (var setting in LmCacheSettings.Engine.All)
        {
            Assert.Contains(Parse(["models/tiny"], (setting.Name, "1")).Findings, finding => finding.Name == setting.Name);
        }
        foreach (var setting in EnvironmentSettings.All)
        {
            Assert.Contains(Parse(["models/tiny"], (setting.Name, "1")).Findings, finding => finding.Name == setting.Name);
        }
    }

    [Theory]
    [InlineData("--max-num-seq", "--max-num-seqs")]
    [InlineData("--tensor-paralel-size", "--tensor-parallel-size")]
    [InlineData("--no-enable-prefix-cache", "--no-enable-prefix-caching")]
    [InlineData("--ports", "--port")]
    public void Parse_UnknownFlag_IsAnErrorWithTheNearestName(string written, string nearest)
    {
        var error = Assert.Single(Errors(["models/tiny", written, "4"]));
        Assert.Equal($"{written} is no flag of 'ferry serve'. Did you mean {nearest}?", error.Text);
    }

    [Theory]
    [InlineData("LMCACHE_CHUNKSIZE", "LMCACHE_CHUNK_SIZE")]
    [InlineData("LMCACHE_MAX_LOCAL_CPUSIZE", "LMCACHE_MAX_LOCAL_CPU_SIZE")]
    [InlineData("LMCACHE_REMOTE_URI", "LMCACHE_REMOTE_URL")]
    public void Parse_UnknownLmCacheName_IsAnErrorWithTheNearestName(string written, string nearest) =>
        Assert.EndsWith($"Did you mean {nearest}?", Assert.Single(Errors(["models/tiny"], (written, "1"))).Text);

    [Fact]
    public void Parse_UnknownKeysOfTheTransferConfig_AreErrorsWithTheNearestName()
    {
        var errors = Errors(["models/tiny", "--kv-transfer-config", """{"kv_conector":"NixlConnector","kv_role":"kv_both","kv_connector_extra_config":{"kv_lease_durations":5,"lmcache.chunk_sizes":1}}"""]);
        Assert.Contains(errors, error => error.Text.EndsWith("Did you mean kv_connector?", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Text.EndsWith("Did you mean kv_lease_duration?", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Text.EndsWith("Did you mean lmcache.chunk_size?", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("pull", HandoverMode.Pull)]
    [InlineData("push", HandoverMode.Push)]
    [InlineData("push-layerwise", HandoverMode.PushLayerwise)]
    [InlineData("auto", HandoverMode.Auto)]
    public void Parse_HandoverMode_IsTaken(string name, HandoverMode mode) => Assert.Equal(
        mode, Accept(["models/tiny", "--kv-transfer-config", $$$"""{"kv_connector":"FerryConnector","kv_role":"kv_both","kv_connector_extra_config":{"handover_mode":"{{{name}}}"}}"""]).Exchange!.Handover);

    [Fact]
    public void Parse_UnknownHandoverMode_IsAnErrorWithTheNearestName()
    {
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", """{"kv_connector":"FerryConnector","kv_role":"kv_both","kv_connector_extra_config":{"handover_mode":"push-layerwize"}}"""]));
        Assert.Contains("pull, push, push-layerwise, auto", error.Text, StringComparison.Ordinal);
        Assert.EndsWith("Did you mean push-layerwise?", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeveralMistakes_ReportsAllAtOnce()
    {
        var errors = Errors(["models/none", "--port", "99999", "--max-num-seqs", "zero", "--device", "gaudi2", "--kv-transfer-config", """{"kv_connector":"NixlConnector"}"""]);
        Assert.Equal(["--port", "--max-num-seqs", "--device", "MODEL", "kv_role"], errors.Select(error => error.Name));
    }

    [Fact]
    public void Parse_DottedTransferConfig_EqualsTheJsonForm()
    {
        var dotted = Accept(["models/tiny", "--kv-transfer-config.kv_connector", "LMCacheConnectorV1", "--kv-transfer-config.kv_role=kv_both",
            "--kv-transfer-config.kv_connector_extra_config.kv_lease_duration", "300", "--kv-transfer-config.kv_connector_extra_config.lmcache.chunk_size", "512"]);
        var json = Accept(["models/tiny", "--kv-transfer-config",
            """{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both","kv_connector_extra_config":{"kv_lease_duration":300,"lmcache.chunk_size":512}}"""]);
        Assert.Equal(json.Exchange, dotted.Exchange);
        Assert.Equal((TimeSpan.FromSeconds(300), 512), (dotted.Exchange!.LeaseDuration, dotted.Exchange.ChunkTokens));
    }

    [Fact]
    public void Parse_MultiConnector_ChecksItsChildren()
    {
        const string good = """{"kv_connector":"MultiConnector","kv_role":"kv_both","kv_connector_extra_config":{"connectors":[{"kv_connector":"NixlConnector"},{"kv_connector":"LMCacheConnectorV1"}]}}""";
        Assert.NotNull(Accept(["models/tiny", "--kv-transfer-config", good]).Exchange);
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", good.Replace("LMCacheConnectorV1", "MooncakeConnector", StringComparison.Ordinal)]));
        Assert.Contains("MooncakeConnector", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_DecodeNodeWithThePrefillNodesAddress_ExplainsTheGuidesMistake()
    {
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], ("VLLM_NIXL_SIDE_CHANNEL_HOST", "10.0.0.1")));
        Assert.StartsWith("10.0.0.1 is no address of this machine (it has 10.0.0.2). Every node sets its own address here", error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "VLLM_NIXL_SIDE_CHANNEL_HOST", "Set FERRY_SHARED_SECRET")]
    [InlineData("short", "FERRY_SHARED_SECRET", "it must have at least 16")]
    public void Parse_SideChannelThatOthersReach_NeedsASecret(string? secret, string name, string text)
    {
        (string, string)[] environment = [("VLLM_NIXL_SIDE_CHANNEL_HOST", "10.0.0.2"), .. secret is null ? [] : (ValueTuple<string, string>[])[("FERRY_SHARED_SECRET", secret)]];
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], environment));
        Assert.Equal(name, error.Name);
        Assert.Contains(text, error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_TlsFilesInPart_NamesTheOnesThatLack()
    {
        var errors = Errors(["models/tiny", "--kv-transfer-config", Producer], ("FERRY_TLS_CERT", "/nowhere/node.crt"), ("VLLM_NIXL_SIDE_CHANNEL_HOST", "localhost")).ToArray();
        Assert.Equal(["FERRY_TLS_CA", "FERRY_TLS_CERT", "FERRY_TLS_KEY"], errors.Select(error => error.Name).Order(StringComparer.Ordinal));
        Assert.Contains("no file that this process can see", errors.Single(error => error.Name == "FERRY_TLS_CERT").Text, StringComparison.Ordinal);
        Assert.Contains("needs all three", errors.Single(error => error.Name == "FERRY_TLS_KEY").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WildcardSideChannelHost_IsAnError() =>
        Assert.Contains("no address that a peer can dial", Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], ("VLLM_NIXL_SIDE_CHANNEL_HOST", "0.0.0.0"))).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("cuda", "mi300x", FindingKind.Warning)]
    [InlineData("hpu", "gaudi3", FindingKind.Warning)]
    [InlineData("rocm", "mi300x", FindingKind.Error)]
    [InlineData("cuda", "gaudi3", FindingKind.Error)]
    public void Parse_BufferDevice_FollowsVllmsMatrix(string buffer, string device, FindingKind kind)
    {
        var result = Parse(["models/tiny", "--device", device, "--kv-transfer-config", Producer.Replace("\"cpu\"", $"\"{buffer}\"", StringComparison.Ordinal)]);
        Assert.Contains(result.Findings, finding => finding.Name == "kv_buffer_device" && finding.Kind == kind);
    }

    [Theory]
    [InlineData("LMCACHE_LOCAL_CPU", "yes")]
    [InlineData("LMCACHE_CHUNK_SIZE", "many")]
    [InlineData("LMCACHE_CHUNK_SIZE", "100")]
    [InlineData("LMCACHE_REMOTE_URL", "file://relative/x")]
    [InlineData("LMCACHE_REMOTE_URL", "not a url")]
    [InlineData("LMCACHE_PD_ROLE", "receiver")]
    [InlineData("LMCACHE_PRE_CACHING_HASH_ALGORITHM", "sha256")]
    [InlineData("PYTHONHASHSEED", "random")]
    [InlineData("UCX_TLS", "")]
    public void Parse_BadValueBesideAConnector_IsAnErrorThatNamesIt(string name, string value) =>
        Assert.Equal(name, Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], (name, value))).Name);

    [Theory]
    [InlineData("mooncakestore://host:1234")]
    [InlineData("filee:///mnt/shared", "Did you mean file?")]
    public void Parse_RemoteUrlOfAnUnknownScheme_IsAnErrorThatNamesTheKnownOnes(string url, string hint = "")
    {
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], ("LMCACHE_REMOTE_URL", url)));
        Assert.Contains("file://", error.Text, StringComparison.Ordinal);
        Assert.EndsWith(hint, error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_LmCachesTiers_ReachTheExchange()
    {
        var exchange = Accept(["models/tiny", "-tp", "2", "--kv-load", "always", "--kv-transfer-config", Producer],
            ("LMCACHE_LOCAL_DISK", "file:///var/lib/ferry/"), ("LMCACHE_MAX_LOCAL_DISK_SIZE", "10.0"), ("LMCACHE_CACHE_POLICY", "S3FIFO"), ("LMCACHE_SAVE_DECODE_CACHE", "True"),
            ("LMCACHE_REMOTE_URL", "s3://s3.ceph.example/nixl/"), ("LMCACHE_S3_ENDPOINT_URL", "http://s3.ceph.example"), ("AWS_DEFAULT_REGION", "default")).Exchange!;
        Assert.Equal(("/var/lib/ferry", 20L << 30, "s3fifo", true, true), (exchange.Disk!.Path, exchange.Disk.CapacityBytes, exchange.Policy, exchange.SaveDecodeCache, exchange.LoadsAlways));
        Assert.Equal(("s3://s3.ceph.example/nixl/", "http://s3.ceph.example", "default"), (exchange.Shared!.Url, exchange.Shared.Options.S3Endpoint, exchange.Shared.Options.S3Region));
    }

    [Fact]
    public void Parse_LmCachesFile_IsReadAndVariablesStandAboveIt()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("ferry-serve-options-").FullName, "lmcache.yaml");
        File.WriteAllText(path, "chunk_size: 512\nmax_local_cpu_size: 1.0\nremote_url: null\nextra_config:\n  s3_region: default\n");
        var exchange = Accept(["models/tiny", "--kv-transfer-config", Producer], ("LMCACHE_CONFIG_FILE", path), ("LMCACHE_MAX_LOCAL_CPU_SIZE", "2.0")).Exchange!;
        Assert.Equal((512, 2L << 30), (exchange.ChunkTokens, exchange.MemoryTierBytes));
        File.WriteAllText(path, "chunk_sise: 512\n");
        var error = Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], ("LMCACHE_CONFIG_FILE", path)));
        Assert.Equal((path + ":1:13", true), (error.Place, error.Text.EndsWith("Did you mean chunk_size?", StringComparison.Ordinal)));
    }

    [Fact]
    public void Parse_DiskWithoutASize_IsAnError() =>
        Assert.Contains("has no size", Assert.Single(Errors(["models/tiny", "--kv-transfer-config", Producer], ("LMCACHE_LOCAL_DISK", "/var/lib/ferry"))).Text, StringComparison.Ordinal);

    [Fact]
    public void Parse_SharedDirectoryAndSeed_ReachTheExchange()
    {
        var exchange = Accept(["models/tiny", "--kv-transfer-config", Producer], ("LMCACHE_REMOTE_URL", "\"file:///mnt/shared/\""), ("PYTHONHASHSEED", "7")).Exchange!;
        Assert.Equal(("file:///mnt/shared/", "7"), (exchange.Shared!.Url, exchange.HashSeed));
    }

    [Fact]
    public void Parse_LmCacheWithoutConnector_WarnsThatItHasNoEffect() =>
        Assert.Contains(Parse(["models/tiny"], ("LMCACHE_CHUNK_SIZE", "256")).Findings,
            finding => finding is { Kind: FindingKind.Warning, Name: "LMCACHE_CHUNK_SIZE" } && finding.Text.Contains("without --kv-transfer-config", StringComparison.Ordinal));

    [Fact]
    public void Parse_MemoryTierLargerThanHalfTheMachine_IsCutWithAWarning()
    {
        var result = Parse(["models/tiny", "-tp", "4", "--kv-transfer-config", Producer], ("LMCACHE_MAX_LOCAL_CPU_SIZE", "20.0"));
        Assert.Equal(32L << 30, result.Options!.Exchange!.MemoryTierBytes);
        Assert.Contains(result.Findings, finding => finding.Kind == FindingKind.Warning && finding.Text.Contains("20 GiB for each of 4 ranks is 80 GiB", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_SpellingsOfVllm_AreUnderstood()
    {
        var options = Accept(["--model=models/tiny", "--max_num_seqs", "8", "--max-model-len", "1K", "--seed", "-5", "--served-model-name", "a", "b", "--no-enable-prefix-caching", "--kv-cache-dtype", "float16"]);
        Assert.Equal((8, 1024, -5L, false, KvDType.Float16), (options.Engine.MaxNumSeqs, options.Engine.MaxModelLen, options.Engine.Seed, options.Engine.EnablePrefixCaching, options.Engine.KvDType));
        Assert.Equal(["a", "b"], options.ServedModelNames);
    }

    [Fact]
    public void Parse_FlagWithoutValue_SaysSo() => Assert.Equal("--port needs a value.", Assert.Single(Errors(["models/tiny", "--port", "--seed", "1"])).Text);

    [Fact]
    public void Parse_BatchedTokensBelowSequences_NamesBothNumbers()
    {
        var error = Assert.Single(Errors(["models/tiny", "--max-num-seqs", "32", "--max-num-batched-tokens", "16"]));
        Assert.Contains("(16)", error.Text, StringComparison.Ordinal);
        Assert.Contains("(32)", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Secrets_AreNotShown()
    {
        var result = Parse(["models/tiny", "--api-key", "sk-very-secret"], ("AWS_SECRET_ACCESS_KEY", "aws-secret"), ("VLLM_API_KEY", "other-secret"));
        Assert.Equal(3, result.Options!.Api.ApiKeys.Count + 1);
        var text = StartupReport.ToText(result.Findings) + StartupReport.ToJson(result.Findings).ToJsonString();
        Assert.DoesNotContain("secret", text.Replace("AWS_SECRET_ACCESS_KEY", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Refusal_SaysOnlyWhatIsWrong()
    {
        var result = Parse(["models/tiny", "--port", "no-port", "--seed", "7"]);
        Assert.Null(result.Options);
        var text = StartupReport.ToRefusal(result.Findings);
        Assert.Contains("--port", text, StringComparison.Ordinal);
        Assert.DoesNotContain("honoured", text, StringComparison.Ordinal);
        Assert.Contains("honoured", StartupReport.ToText(result.Findings), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Json_SaysWhetherTheNodeStarts()
    {
        var json = StartupReport.ToJson(Parse(["models/tiny", "--prot", "1"]).Findings);
        Assert.False(json["ok"]!.GetValue<bool>());
        Assert.Contains(json["settings"]!.AsArray(), setting => setting!["kind"]!.GetValue<string>() == "error");
    }

    private static ServeOptionsResult Parse(string[] words, params (string Name, string Value)[] environment) =>
        ServeOptionsParser.Parse(words, environment.ToDictionary(pair => pair.Name, pair => pair.Value), new FakeMachine());

    private static ServeOptions Accept(string[] words, params (string Name, string Value)[] environment)
    {
        var result = Parse(words, environment);
        Assert.DoesNotContain(result.Findings, finding => finding.Kind == FindingKind.Error);
        return result.Options!;
    }

    private static List<Finding> Errors(string[] words, params (string Name, string Value)[] environment)
    {
        var result = Parse(words, environment);
        Assert.Null(result.Options);
        return [.. result.Findings.Where(finding => finding.Kind == FindingKind.Error)];
    }
}
