using System.Globalization;
using CsCheck;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster.Reading;

public sealed class ClusterSpecFileTests
{
    [Fact]
    public void Read_PairOfNodes_HasEveryValueOfTheFileAndDefaultsElsewhere()
    {
        var spec = ClusterFiles.Read(ClusterFiles.Pair);

        Assert.Equal(("llama-70b", 2, true), (spec.Name, spec.Pools.Count, spec.IsDisaggregated));
        Assert.Equal((PoolRole.Prefill, "mi300x", 4, 512), (spec.Pools[0].Role, spec.Pools[0].Accelerator, spec.Pools[0].TensorParallel, spec.Pools[0].Limits.Sequences));
        Assert.Equal(20_000_000_000, spec.CacheOf(spec.Pools[0]).MemoryBytes);
        Assert.Equal((256, CachePolicy.Lru, "0"), (spec.Cache.ChunkTokens, spec.Cache.Policy, spec.Cache.HashSeed));
        Assert.Equal((128, 16), (spec.BlockTokensOf(spec.Pools[1]), spec.BlockTokensOf(spec.Pools[0])));
        Assert.Equal(StorageKind.None, spec.Storage.Kind);
    }

    [Fact]
    public void Read_SeveralMistakes_AreAllNamedWithTheirPlacesInOneGo()
    {
        var errors = ClusterFiles.Errors("""
            name: Llama 70B
            modle: {id: x}
            model: {id: meta-llama/Llama-3.1-70B, dtype: bf16}
            pools:
              - name: prefill
                accelerator: mi300x
                tensorParallel: zero
                nodes: [{name: a, address: 10.0.0.1, prot: 8000}]
                memoryUtilization: 90
            cache: {memory: 20}
            """);

        Assert.Equal(
            [
                "ferry.yaml:1:7: name is 'Llama 70B'; it must be lower-case letters, digits and '-', at most 63, as names in Kubernetes are.",
                "ferry.yaml:2:1: unknown key 'modle'. Did you mean model?",
                "ferry.yaml:3:46: model.dtype is 'bf16'; it must be one of bfloat16, float16, float32, fp8, auto.",
                "ferry.yaml:7:21: pools[0].tensorParallel is 'zero'; it must be a whole number.",
                "ferry.yaml:8:42: unknown key 'prot' in pools[0].nodes[0]. Did you mean port?",
                "ferry.yaml:9:24: pools[0].memoryUtilization is 90; it must lie in 0.01..1.",
                "ferry.yaml:10:17: cache.memory is 20; it must lie in 1 MiB..1024 TiB. A number alone counts bytes; write a unit, such as 20GiB.",
            ],
            errors);
    }

    [Theory]
    [InlineData("ferry", "mode: push-layerwise", null)]
    [InlineData("vllm", "mode: pull", null)]
    [InlineData("vllm", "mode: auto", "handover.mode is auto, and pool all has engine.kind vllm: only ferry serve's own exchange pushes.")]
    [InlineData("ferry", "mode: push-layerwize", "handover.mode is 'push-layerwize'; it must be one of pull, push, push-layerwise, auto. Did you mean push-layerwise?")]
    [InlineData("ferry", "handover_mode: push", "Did you mean handover.mode?")]
    public void Read_HandoverMode_IsForFerrysEngineAndOneOfFour(string engine, string line, string? error)
    {
        var text = $"""
            name: c
            model: {"{"}id: org/m, maxLength: 128{"}"}
            pools: [{"{"}name: all, role: both, accelerator: cpu, engine: {"{"}kind: {engine}{"}"}, nodes: [{"{"}name: a, address: 10.0.0.1{"}"}]{"}"}]
            handover: {"{"}{line}{"}"}
            """;
        if (error is null)
        {
            Assert.Equal(line.Split(' ')[1], SpecNames.Of(ClusterFiles.Read(text).Handover.Mode));
            return;
        }
        Assert.Contains(error, Assert.Single(ClusterFiles.Errors(text)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("block-size: 16", "Did you mean blockTokens?")]
    [InlineData("max_num_seqs: 16", "Did you mean limits.sequences?")]
    [InlineData("gpu-memory-utilization: 0.9", "Did you mean memoryUtilization?")]
    [InlineData("tensor_parallel_size: 4", "Did you mean tensorParallel?")]
    [InlineData("bucket: kv-cache", "Did you mean storage.s3.bucket?")]
    [InlineData("xyzzy: 1", "Known: name, role, accelerator")]
    public void Read_NameOfAnotherProgramOrPlace_IsAnsweredWithOurs(string line, string hint) =>
        Assert.Contains(hint, Assert.Single(ClusterFiles.Errors(ClusterFiles.Pair + "\n    " + line)), StringComparison.Ordinal);

    [Theory]
    [InlineData("storage: {s3: {endpoint: 'http://a', bucket: kvs, secretKey: {env: A}}}", "has secretKey but no accessKey")]
    [InlineData("storage: {s3: {endpoint: 'http://a', bucket: kvs}, redis: {address: 'a:1'}}", "keep one of s3, redis and directory")]
    [InlineData("storage: {s3: {endpoint: 'http://a', bucket: kvs, accessKey: {env: A, file: /a}, secretKey: {env: B}}}", "exactly one place of the secret")]
    [InlineData("storage: {s3: {endpoint: 'http://user:word@a', bucket: kvs}}", "without user and path")]
    [InlineData("storage: {redis: {address: 'a:1', password: hunter2}}", "must be a mapping with the keys env, file, docker, kubernetes")]
    [InlineData("plan: {prices: {prefil: 1}}", "there is no pool prefil. Did you mean prefill?")]
    [InlineData("profiles: {own: {base: mi300}}", "Did you mean mi300x?")]
    [InlineData("transport: {rate: fast}", "a rate such as 50GB/s")]
    [InlineData("cache: [1]", "must be a mapping with the keys chunkTokens")]
    [InlineData("cache: {saveDecode: yes}", "must be true or false")]
    [InlineData("cache: {saveDecode: }", "has no value")]
    [InlineData("name: again", "stands in line 1 already")]
    public void Read_KeysThatDoNotGoTogether_AreAnError(string line, string expected) =>
        Assert.Contains(expected, Assert.Single(ClusterFiles.Errors(ClusterFiles.Pair + "\n" + line)), StringComparison.Ordinal);

    [Fact]
    public void Read_SecretWhereAPlaceBelongs_IsNeverRepeated()
    {
        var errors = ClusterFiles.Errors(ClusterFiles.Pair + "\nstorage: {redis: {address: 'a:1', password: hunter2}}");

        Assert.DoesNotContain("hunter2", string.Join('\n', errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: decode\n", "name: prefill\n", "pools[1].name is 'prefill', as another pool's")]
    [InlineData("name: decode-0", "name: prefill-0", "pools[1].nodes[0].name is 'prefill-0', as another node's")]
    [InlineData("address: 10.0.0.21", "address: 10.0.0.11", "listens at 10.0.0.11:8000, as prefill-0 does")]
    [InlineData("accelerator: gaudi3", "accelerator: gaudi", "Did you mean gaudi3?")]
    [InlineData("role: decode", "role: prefill", "none of role decode or both")]
    [InlineData("limits: {sequences: 256}", "devices: [0, 1]", "has 2 devices, fewer than tensorParallel 4")]
    [InlineData("limits: {sequences: 256}", "devices: [0, 1, 2, 2]", "names a device twice")]
    public void Read_PoolsThatContradictEachOther_AreAnError(string old, string changed, string expected)
    {
        var at = ClusterFiles.Pair.LastIndexOf(old, StringComparison.Ordinal);
        var text = ClusterFiles.Pair[..at] + changed + ClusterFiles.Pair[(at + old.Length)..];

        Assert.Contains(expected, string.Join('\n', ClusterFiles.Errors(text)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ProfileWithABase_StartsFromIt()
    {
        var spec = ClusterFiles.Read(ClusterFiles.Pair.Replace("accelerator: mi300x", "accelerator: mi325x", StringComparison.Ordinal) + """

            profiles:
              mi325x: {base: mi300x, memory: 256GiB, memoryRate: 6TB/s}
            """);

        var profile = spec.ProfileOf(spec.Pools[0]);
        Assert.Equal((256L << 30, 6_000_000_000_000, 1307.0, "HIP_VISIBLE_DEVICES"), (profile.MemoryBytes, profile.MemoryBytesPerSecond, profile.Bf16Tflops, profile.VisibleDevicesVariable));
        Assert.Equal(192L << 30, AcceleratorProfiles.Mi300x.MemoryBytes);
    }

    [Fact]
    public void Source_PathOfAValue_IsItsLineAndOfADefaultThatOfItsSection()
    {
        var source = ClusterSpecFile.Read(ClusterFiles.Pair, "ferry.yaml").Source;

        Assert.Equal("ferry.yaml:14:18", source.Text("pools[1].accelerator"));
        Assert.Equal(17, source.Find("pools[1].limits.batchedTokens").Line);
        Assert.Equal(1, source.Find("router.port").Line);
    }

    [Fact]
    public void Read_AnchorsAndAliases_StandForWhatTheyName()
    {
        var spec = ClusterFiles.Read("""
            name: two
            model: {id: meta-llama/Llama-3.1-8B}
            pools:
              - {name: prefill, role: prefill, accelerator: mi300x, engine: &engine {version: 0.24.0}, nodes: [{name: a, address: a}]}
              - {name: decode, role: decode, accelerator: gaudi3, engine: *engine, nodes: [{name: b, address: b}]}
            """);

        Assert.Equal("0.24.0", spec.Pools[1].Engine.Version);
    }

    [Fact]
    public void Read_TowerOfAliases_IsRefusedBeforeItIsBuilt()
    {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 30).Select(
            level => string.Create(CultureInfo.InvariantCulture, $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n")));

        Assert.Contains("those that aliases repeat counted", Assert.Single(ClusterFiles.Errors(text)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TowerOfBrackets_IsRefusedWithoutDepth() =>
        Assert.Contains("levels", Assert.Single(ClusterFiles.Errors(new string('[', 100_000))), StringComparison.Ordinal);

    [Fact]
    public void Read_TwoDocuments_IsAnErrorAtTheSecond() =>
        Assert.StartsWith("ferry.yaml:", Assert.Single(ClusterFiles.Errors(ClusterFiles.Pair + "\n---\nname: other\n")), StringComparison.Ordinal);

    [Fact]
    public void Read_EmptyFile_NamesWhatIsNeeded() =>
        Assert.Equal(3, ClusterFiles.Errors("").Length);

    [Fact]
    public void Load_FileThatIsNotThere_IsAnErrorAndNoException() =>
        Assert.Contains("cannot be read", Assert.Single(ClusterSpecFile.Load("/nowhere/ferry.yaml").Errors).Text, StringComparison.Ordinal);

    [Fact]
    public void Read_AnyText_IsAnsweredWithoutAnException()
    {
        string[] pieces =
        [
            "name: ", "pools:\n", "  - ", "{", "}", "[", "]", ",", ": ", "\n", "  ", "\t", "&a ", "*a", "? ", "| \n", "> \n", "!!str ", "!x ", "\"", "'", "#", "---", "...",
            "model: {id: x}\n", "nodes:", "env: {A: b}", "<<: *a", "%YAML 1.2\n", "\\U99999999", "\0", "\uFEFF", "\uD800", "2020-01-01", "1e400", "~", "null", "- -\n",
        ];
        Gen.Int[0, pieces.Length - 1].Select(piece => pieces[piece]).Array[0, 60].Select(string.Concat).Sample(text => ClusterSpecFile.Read(text, "any.yaml").Errors.Count > 0, iter: 20_000);
    }

    [Fact]
    public void Read_GoodFileWithOnePieceChanged_IsAnsweredWithoutAnException() =>
        Gen.Select(Gen.Int[0, ClusterFiles.Pair.Length - 1], Gen.Int[0, 20], Gen.Char['\0', '~'].Array[0, 4]).Sample(
            (at, length, put) =>
            {
                var text = ClusterFiles.Pair.Remove(at, Math.Min(length, ClusterFiles.Pair.Length - at)).Insert(at, new string(put));
                var reading = ClusterSpecFile.Read(text, "any.yaml");
                Assert.Equal(reading.Spec is null, reading.Errors.Count > 0);
            },
            iter: 10_000);
}
