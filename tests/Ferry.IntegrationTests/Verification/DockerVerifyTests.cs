using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification;
using Ferry.IntegrationTests.Docker;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Verification;

/// <summary><c>ferry verify</c> and <c>ferry diagnose</c> against containers of the product itself on a real engine, started by the scripts that <c>ferry render</c> writes.</summary>
[Collection(DockerFixture.Collection)]
public sealed class DockerVerifyTests(DockerFixture docker) : IAsyncDisposable
{
    private const string SecretVariable = "FERRY_SHARED_SECRET";
    private const string Secret = "a-secret-of-these-tests-and-no-other";

    private static readonly Dictionary<string, string> Secrets = new() { [SecretVariable] = Secret };

    private readonly string _root = Directory.CreateTempSubdirectory("ferry-docker-verify-").FullName;
    private readonly string _cluster = DockerFixture.NextName("verify");
    private readonly List<string> _nodes = [];
    private readonly List<string> _containers = [];

    private string Description => Path.Combine(_root, "ferry.yaml");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Enumerable.Reverse(_nodes))
        {
            await docker.Lab.RunAsync(Path.Combine(_root, "out", node, "down.sh"), ["--volumes"]);
        }
        foreach (var container in _containers)
        {
            await docker.Lab.DockerAsync("rm", "-f", container);
        }
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Verify_ContainersAsRendered_PassEveryProbe()
    {
        var spec = await StartAsync();
        var report = await VerifyAsync(spec);
        Assert.True(report.Verdict == ProbeVerdict.Pass, Text(report));
        Assert.Contains("knows the shared secret", report.Results.First(result => result.Probe == "side-channel").Text, StringComparison.Ordinal);
        Assert.Contains(report.Results, result => result.Probe == "disk");
        Assert.Contains(report.Results, result => result.Probe == "directory");
        Assert.DoesNotContain(Secret, Text(report), StringComparison.Ordinal);

        // The same by the command, as a user runs it.
        var run = await FerryRun.RunAsync(["verify", "-f", Description, "--docker", docker.Lab.Host, "--engine", "ferry", "--skip", "proof-of-transfer"], Secrets);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.DoesNotContain(Secret, run.Output + run.Error, StringComparison.Ordinal);

        var diagnosis = await FerryRun.RunAsync("diagnose", "--docker", docker.Lab.Host, "--container", $"{_cluster}-prefill-0", "--container", $"{_cluster}-decode-0", "--url", "http://127.0.0.2:18101");
        Assert.True(diagnosis.ExitCode == 0, diagnosis.Output);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "directory")]
    [Trait(PlantedFault.Trait, "disk")]
    [Trait(PlantedFault.Trait, "rdma")]
    public async Task Verify_FaultsPlantedInContainers_AreFoundOneByOne()
    {
        var spec = await StartAsync(script => script
            .Replace("LMCACHE_CHUNK_SIZE=256", "LMCACHE_CHUNK_SIZE=128", StringComparison.Ordinal)
            .Replace($"{_root}/shared:{_root}/shared", $"{_root}/elsewhere:{_root}/shared", StringComparison.Ordinal));
        var report = await VerifyAsync(spec, Options() with { Skip = ["proof-of-transfer"] });
        Assert.Contains("LMCACHE_CHUNK_SIZE is '128'", One(report, "environment", "decode-0").Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Pass, One(report, "environment", "prefill-0").Verdict);
        Assert.Contains("does not see what", report.Results.Single(result => result.Probe == "directory").Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Violation, report.Verdict);

        // Another shared secret than the one that is known here.
        var secret = await VerifyAsync(spec, Options() with { Only = ["side-channel"], Variables = _ => "another-secret-altogether" });
        Assert.All(secret.Results, result => Assert.Contains("another shared secret", result.Text, StringComparison.Ordinal));

        // A tier larger than its disk.
        var large = spec with { Cache = spec.Cache with { DiskBytes = 1L << 50 } };
        Assert.All((await VerifyAsync(large, Options() with { Only = ["disk"] })).Results, result => Assert.Equal(ProbeVerdict.Violation, result.Verdict));

        // RDMA that is not there.
        var rdma = spec with { Transport = new TransportSpec { Kind = TransportKind.Roce } };
        Assert.All((await VerifyAsync(rdma, Options() with { Only = ["rdma"] })).Results, result => Assert.Equal(ProbeVerdict.Violation, result.Verdict));

        // A container that is stopped: its health is violated, and what cannot be asked has not passed.
        await docker.Lab.DockerAsync("stop", "--time", "1", $"{_cluster}-decode-0");
        var stopped = await VerifyAsync(spec, Options() with { Only = ["environment", "health"] });
        Assert.Equal(ProbeVerdict.Inconclusive, One(stopped, "environment", "decode-0").Verdict);
        Assert.Equal(ProbeVerdict.Violation, One(stopped, "health", "decode-0").Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "log")]
    public async Task Verify_ContainerWithTroubleInItsLogAndAnotherProgram_IsAViolationOfBoth()
    {
        var spec = await RenderAsync();
        var name = DockerFixture.NextName("trouble");
        _containers.Add(name);
        var started = await docker.Lab.DockerAsync("run", "-d", "--name", name, "--network", "host", "--entrypoint", "sh", DockerLab.Image, "-c",
            "echo 'WARNING 09-24 16:35:21 [nixl_connector.py:1048] Releasing expired KV blocks for request cmpl-3 which were retrieved by 0 decode worker(s) within 120 seconds.'; exec sleep 600");
        Assert.True(started.ExitCode == 0, started.Error);
        await HasSaidAsync(name, "Releasing expired KV blocks");

        var report = await VerifyAsync(spec, Options() with { Only = ["log", "environment"], Containers = new Dictionary<string, string> { ["decode-0"] = name } });
        Assert.Contains("DIAG-NIXL-07", One(report, "log", "decode-0").Text, StringComparison.Ordinal);
        Assert.Contains("no process of ferry runs", One(report, "environment", "decode-0").Text, StringComparison.Ordinal);
        Assert.Contains("no such container", One(report, "environment", "prefill-0").Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Inconclusive, One(report, "environment", "prefill-0").Verdict);

        // The same log over ssh: here the ssh is a script, the rest of the way is Docker's own.
        var bin = Directory.CreateDirectory(Path.Combine(_root, "bin")).FullName;
        await File.WriteAllTextAsync(Path.Combine(bin, "ssh"), $"#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift 2\nPATH=/usr/bin:$PATH DOCKER_HOST={docker.Lab.Host} exec \"$@\"\n");
        Allow(Path.Combine(bin, "ssh"));
        var diagnosis = await FerryRun.RunAsync(["diagnose", "--docker", "ssh://somebody@somewhere:2222", "--container", name], new Dictionary<string, string> { ["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}" });
        Assert.Equal(1, diagnosis.ExitCode);
        Assert.Contains("DIAG-NIXL-07", diagnosis.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_TroubleOfAnEarlierRun_IsNotThisOnes()
    {
        var spec = await RenderAsync();
        var name = DockerFixture.NextName("restarted");
        _containers.Add(name);
        var started = await docker.Lab.DockerAsync("run", "-d", "--name", name, "--network", "host", "--entrypoint", "sh", DockerLab.Image, "-c",
            "[ -e /tmp/again ] || { touch /tmp/again; echo 'WARNING 09-24 16:35:21 [nixl_connector.py:1048] Releasing expired KV blocks for request cmpl-3 which were retrieved by 0 decode worker(s) within 120 seconds.'; }; exec sleep 600");
        Assert.True(started.ExitCode == 0, started.Error);
        await HasSaidAsync(name, "Releasing expired KV blocks");
        var options = Options() with { Only = ["log"], Containers = new Dictionary<string, string> { ["decode-0"] = name } };
        Assert.Equal(ProbeVerdict.Violation, One(await VerifyAsync(spec, options), "log", "decode-0").Verdict);

        // The window ends before the trouble.
        var window = await Verifier.RunAsync(spec, options with { LogWindow = TimeSpan.FromMinutes(10) }, new ShiftedTime(TimeSpan.FromHours(1)), null, TestContext.Current.CancellationToken);
        Assert.Equal(ProbeVerdict.Pass, One(window, "log", "decode-0").Verdict);

        var again = await docker.Lab.DockerAsync("restart", "--time", "1", name);
        Assert.True(again.ExitCode == 0, again.Error);
        var restarted = One(await VerifyAsync(spec, options), "log", "decode-0");
        Assert.Equal(ProbeVerdict.Pass, restarted.Verdict);
        Assert.Contains("its start", restarted.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "memlock")]
    public async Task Verify_EngineThatMayNotLockMemory_IsAViolation()
    {
        var (bound, own) = (await StartEngineAsync("--ulimit", "memlock=65536:65536"), await StartEngineAsync());
        var spec = LiveCluster.Read("""
            name: nixl
            model: { id: meta-llama/Llama-3.1-70B-Instruct }
            pools:
              - { name: prefill, role: prefill, accelerator: mi300x, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: prefill-0, address: 127.0.0.2 }] }
              - { name: decode, role: decode, accelerator: mi300x, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: decode-0, address: 127.0.0.3 }] }
            handover: { kind: nixl }
            transport: { kind: roce }
            """);
        var report = await VerifyAsync(spec, Options() with { Only = ["memlock"], Containers = new Dictionary<string, string> { ["prefill-0"] = bound, ["decode-0"] = own } });
        Assert.Equal(ProbeVerdict.Violation, One(report, "memlock", "prefill-0").Verdict);
        Assert.Contains("65536 bytes", One(report, "memlock", "prefill-0").Text, StringComparison.Ordinal);
        Assert.Contains("memlock=-1", One(report, "memlock", "prefill-0").Fix, StringComparison.Ordinal);
        // The other has the limit of the engine that started it, which only root of the whole machine can raise.
        var isFree = (await docker.Lab.DockerAsync("exec", own, "sh", "-c", "ulimit -l")).Output.Trim() == "unlimited";
        Assert.Equal(isFree ? ProbeVerdict.Pass : ProbeVerdict.Violation, One(report, "memlock", "decode-0").Verdict);
    }

    // A container runs a moment before its first line is in its log.
    private async Task HasSaidAsync(string container, string text)
    {
        while (await docker.Lab.DockerAsync("logs", container) is var logs && !logs.Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(logs.ExitCode == 0, logs.Error);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A container whose process has the name of vLLM's.</summary>
    private async Task<string> StartEngineAsync(params string[] options)
    {
        var name = DockerFixture.NextName("engine");
        _containers.Add(name);
        var started = await docker.Lab.DockerAsync(["run", "-d", "--name", name, .. options, "--network", "host", "--entrypoint", "sh", DockerLab.Image, "-c",
            "printf '#!/bin/sh\\nsleep 600\\n' >/tmp/vllm; chmod +x /tmp/vllm; exec /tmp/vllm serve"]);
        Assert.True(started.ExitCode == 0, started.Error);
        return name;
    }

    /// <summary>Renders and starts all nodes.</summary>
    /// <param name="fault">Changes the script of the decode node.</param>
    private async Task<ClusterSpec> StartAsync(Func<string, string>? fault = null)
    {
        var spec = await RenderAsync();
        if (fault is not null)
        {
            var script = Path.Combine(_root, "out", "decode-0", "up.sh");
            var text = await File.ReadAllTextAsync(script);
            Assert.NotEqual(text, fault(text));
            await File.WriteAllTextAsync(script, fault(text));
        }
        foreach (var node in (string[])["prefill-0", "decode-0", "router"])
        {
            _nodes.Add(node);
            var up = await docker.Lab.RunAsync(Path.Combine(_root, "out", node, "up.sh"), [], Secrets);
            Assert.True(up.ExitCode == 0, up.Output + up.Error);
        }
        return spec;
    }

    private static void Allow(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        }
    }

    private async Task<ClusterSpec> RenderAsync()
    {
        foreach (var directory in (string[])["shared", "elsewhere", "disk", "disk-decode"])
        {
            var made = Directory.CreateDirectory(Path.Combine(_root, directory)).FullName;
            Allow(made);   // The container's user is another.
        }
        await File.WriteAllTextAsync(Description, $$"""
            name: {{_cluster}}
            model: { id: {{RepositoryRoot.At("models", "ferry-tiny")}}, servedName: ferry-tiny, maxLength: 2048 }
            pools:
              - name: prefill
                role: prefill
                accelerator: mi300x
                engine: { kind: ferry, flags: ["--threads 1", "--kv-load always"] }
                tensorParallel: 2
                port: 18101
                nodes: [{ name: prefill-0, address: 127.0.0.2 }]
              - name: decode
                role: decode
                accelerator: gaudi3
                engine: { kind: ferry, flags: ["--threads 1", "--kv-load always"] }
                port: 18201
                cache: { diskPath: {{_root}}/disk-decode }
                nodes: [{ name: decode-0, address: 127.0.0.3 }]
            handover: { sideChannelPort: 15611 }
            cache: { memory: 64MiB, disk: 64MiB, diskPath: {{_root}}/disk, image: "{{DockerLab.Image}}" }
            storage: { directory: { path: {{_root}}/shared } }
            router: { address: 127.0.0.1, port: 18901, adminPort: 18902 }
            """);
        var spec = LiveCluster.Read(await File.ReadAllTextAsync(Description));
        var run = await FerryRun.RunAsync("render", "docker", "-f", Description, "-o", Path.Combine(_root, "out"));
        Assert.True(run.ExitCode == 0, run.Error);
        return spec;
    }

    private VerifyOptions Options() => new() { Docker = docker.Lab.Host, ProofTokens = 400, Variables = Secrets.GetValueOrDefault };

    private Task<VerifyReport> VerifyAsync(ClusterSpec spec, VerifyOptions? options = null) =>
        Verifier.RunAsync(spec, options ?? Options(), TimeProvider.System, null, TestContext.Current.CancellationToken);

    private static ProbeResult One(VerifyReport report, string probe, string target) => report.Results.Single(result => result.Probe == probe && result.Target == target);

    private static string Text(VerifyReport report) => string.Join(Environment.NewLine, report.Results.Select(result => $"{result.Verdict} {result.Probe} {result.Target}: {result.Text}"));
}
