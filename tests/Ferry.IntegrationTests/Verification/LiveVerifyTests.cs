using System.Text.Json.Nodes;
using Ferry.Cli.Up;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Verification;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Verification;

/// <summary><c>ferry verify</c> against real processes: all is well, and one planted fault of each kind.</summary>
public sealed class LiveVerifyTests
{
    private static readonly VerifyOptions Local = new() { Access = VerifyAccess.Local, ProofTokens = 600 };

    [Fact]
    public async Task Verify_ClusterAsDescribed_PassesEveryProbe()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml());
        var report = await VerifyAsync(cluster);

        Assert.True(report.Verdict == ProbeVerdict.Pass, Text(report));
        Assert.Equal(
            ["environment", "health", "models", "version", "side-channel", "router", "clock", "log", "proof-of-transfer"],
            report.Results.Select(result => result.Probe).Distinct());
        Assert.Contains("tokens equal a plain run on decode-0", Assert.Single(report.Results, result => result.Probe == "proof-of-transfer").Text, StringComparison.Ordinal);

        var run = await FerryRun.RunAsync("verify", "-f", Path.Combine(cluster.Directory, "ferry.yaml"), "--access", "local", "--skip", "proof-of-transfer", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Equal("pass", (string?)JsonNode.Parse(run.Output)!["verdict"]);

        // Over HTTP alone nobody sees environments and logs: not passed, and not violated either.
        var outside = await VerifyAsync(cluster, Local with { Access = VerifyAccess.Http, Skip = ["proof-of-transfer"] });
        Assert.Equal((ProbeVerdict.Unsupported, 3), (outside.Verdict, outside.ExitCode));
        Assert.Equal(["environment", "log"], outside.Results.Where(result => result.Verdict == ProbeVerdict.Unsupported).Select(result => result.Probe).Distinct());
    }

    [Fact]
    [Trait(PlantedFault.Trait, "environment")]
    public async Task Verify_WrongEnvironment_NamesTheVariablesAndNoSecret()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Name != "decode-0" ? process : process with
        {
            Environment =
            [
                .. process.Environment.Select(variable => variable.Name == "LMCACHE_CHUNK_SIZE" ? variable with { Text = "128" } : variable),
            ],
        });
        var answer = await OneAsync(cluster, "environment", "decode-0");
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
        Assert.Contains("LMCACHE_CHUNK_SIZE is '128', and should be '256'", answer.Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Pass, (await OneAsync(cluster, "environment", "prefill-0")).Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "models")]
    public async Task Verify_OtherModelName_IsAViolationOfModels()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Name != "decode-0" ? process : process with
        {
            Arguments = [.. process.Arguments.Select(argument => argument.Words[0] == "--served-model-name" ? PlannedArgument.Of("--served-model-name", "other") : argument)],
        });
        var answer = await OneAsync(cluster, "models", "all engines");
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
        Assert.Contains("decode-0 serves other", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "health")]
    public async Task Verify_DecodeNodeNotRunning_IsAViolationOfHealthRouterAndTransfer()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Kind == PlannedKind.Engine && process.Name == "decode-0" ? null : process.Kind == PlannedKind.Router ? null : process);
        var report = await VerifyAsync(cluster);
        Assert.Equal(ProbeVerdict.Violation, report.Verdict);
        Assert.Equal(ProbeVerdict.Violation, report.Results.Single(result => result is { Probe: "health", Target: "decode-0" }).Verdict);
        Assert.Equal(ProbeVerdict.Pass, report.Results.Single(result => result is { Probe: "health", Target: "prefill-0" }).Verdict);
        Assert.Equal(ProbeVerdict.Violation, report.Results.Single(result => result.Probe == "router").Verdict);
        Assert.Equal(ProbeVerdict.Inconclusive, report.Results.Single(result => result.Probe == "proof-of-transfer").Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "side-channel")]
    public async Task Verify_SideChannelAtAnotherPort_IsAViolation()
    {
        var other = LoopbackPorts.FindFree();
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Name != "prefill-0" ? process : process with
        {
            Environment = [.. process.Environment.Select(variable => variable.Name == "VLLM_NIXL_SIDE_CHANNEL_PORT" ? variable with { Text = $"{other}" } : variable)],
        });
        var answer = await OneAsync(cluster, "side-channel", "prefill-0");
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
        Assert.Contains("VLLM_NIXL_SIDE_CHANNEL_PORT", answer.Fix, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "proof-of-transfer")]
    public async Task Verify_PrefillWithoutConnector_ProvesThatNoKvMoved()
    {
        // Every answer is right and every status 200: only the counters tell.
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Name != "prefill-0" ? process : process with
        {
            Arguments = [.. process.Arguments.Where(argument => argument.Words[0] is not "--kv-transfer-config" and not "--kv-load")],
        });
        var answer = await OneAsync(cluster, "proof-of-transfer", null);
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "router")]
    public async Task Verify_RouterWithoutANode_IsAViolation()
    {
        var yaml = LiveCluster.Yaml();
        var decodePort = LiveCluster.Read(yaml).Pools[1].Port;
        await using var cluster = await LiveCluster.StartAsync(yaml, process => process.Kind != PlannedKind.Router ? process : process with
        {
            Arguments = [PlannedArgument.Of("route"), PlannedArgument.Of("--host", "127.0.0.1", "--port", $"{process.Health.Port}", "--prefill", $"http://127.0.0.1:{decodePort}", "--decode", $"http://127.0.0.1:{decodePort}")],
        });
        var answer = await OneAsync(cluster, "router", null);
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
        Assert.Contains("prefill-0", answer.Text, StringComparison.Ordinal);
        var proof = await OneAsync(cluster, "proof-of-transfer", null);
        Assert.Equal(ProbeVerdict.Violation, proof.Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "version")]
    public async Task Verify_EngineOfAnotherVersion_IsAViolation()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml(), process => process.Kind == PlannedKind.Engine ? process : null);
        var other = cluster.Spec with { Pools = [cluster.Spec.Pools[0], cluster.Spec.Pools[1] with { Engine = cluster.Spec.Pools[1].Engine with { Version = "9.9.9" } }] };
        var report = await Verifier.RunAsync(other, Local with { Only = ["version"] }, TimeProvider.System, null, TestContext.Current.CancellationToken);
        var answer = Assert.Single(report.Results);
        Assert.Equal(ProbeVerdict.Violation, answer.Verdict);
        Assert.Contains("ferry.yaml says 9.9.9", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("prefill-0 is", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "clock")]
    public async Task Verify_ClockAnHourOff_IsAViolation()
    {
        await using var cluster = await LiveCluster.StartAsync(LiveCluster.Yaml());
        var report = await Verifier.RunAsync(cluster.Spec, Local with { Only = ["clock"] }, new ShiftedTime(TimeSpan.FromHours(1)), null, TestContext.Current.CancellationToken);
        Assert.Equal(ProbeVerdict.Violation, Assert.Single(report.Results).Verdict);
    }

    private static async Task<ProbeResult> OneAsync(LiveCluster cluster, string probe, string? target)
    {
        var report = await VerifyAsync(cluster, Local with { Only = [probe] });
        return report.Results.Single(result => target is null || result.Target == target);
    }

    private static Task<VerifyReport> VerifyAsync(LiveCluster cluster, VerifyOptions? options = null) =>
        Verifier.RunAsync(cluster.Spec, options ?? Local, TimeProvider.System, null, TestContext.Current.CancellationToken);

    private static string Text(VerifyReport report) => string.Join(Environment.NewLine, report.Results.Select(result => $"{result.Verdict} {result.Probe} {result.Target}: {result.Text}"));
}
