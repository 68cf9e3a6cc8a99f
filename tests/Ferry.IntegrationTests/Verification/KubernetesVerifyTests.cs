using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Verification;

/// <summary><c>ferry verify</c> and <c>ferry diagnose</c> through an API server's own forms: lists, logs, programs inside pods.</summary>
public sealed class KubernetesVerifyTests : IDisposable
{
    private const string Released = "(EngineCore pid=7) WARNING 03-02 11:00:01 [nixl_connector.py:1834] Releasing expired KV blocks for request cmpl-1 which were retrieved by 0 decode worker(s) within 480 seconds.\n";

    private readonly string _description = Path.GetTempFileName();

    public void Dispose() => File.Delete(_description);

    [Fact]
    public async Task Diagnose_OfAPodsLog_FindsWhatIsInIt()
    {
        await using var pods = await FakePods.StartAsync();
        pods.Pods["prefill-0"] = new("prefill", "2026-03-02T11:00:01.000000001Z " + Released, _ => (0, ""));
        var run = await FerryRun.RunAsync(["diagnose", "--pod", "prefill-0/vllm"], pods.Environment);
        Assert.True(run.ExitCode == 1, run.Output + run.Error);
        Assert.Contains("DIAG-NIXL-07", run.Output, StringComparison.Ordinal);

        var missing = await FerryRun.RunAsync(["diagnose", "--pod", "nobody"], pods.Environment);
        Assert.Contains("404", missing.Output + missing.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, missing.ExitCode);
    }

    [Fact]
    public async Task Verify_OfPods_ReadsEnvironmentLimitsAndLogsInside()
    {
        await using var pods = await FakePods.StartAsync();
        await DescribeAsync("tcp");
        pods.Pods["prefill-7d9f"] = new("prefill", Released, command => Answer(command, "UCX_TLS=tcp,cuda_copy"));
        var run = await FerryRun.RunAsync(["verify", "-f", _description, "--access", "kubernetes", "--only", "environment,memlock,log", "--json"], pods.Environment);
        Assert.True(run.ExitCode == 1, run.Output + run.Error);
        var results = JsonNode.Parse(run.Output)!["results"]!.AsArray().Select(result => ((string)result!["probe"]!, (string)result["target"]!, (string)result["verdict"]!, (string)result["text"]!)).ToList();

        var environment = Assert.Single(results, result => result.Item1 == "environment" && result.Item2 == "prefill-7d9f");
        Assert.Equal("violation", environment.Item3);
        Assert.Contains("UCX_TLS is 'tcp,cuda_copy'", environment.Item4, StringComparison.Ordinal);
        Assert.Contains("DIAG-NIXL-07", Assert.Single(results, result => result.Item1 == "log" && result.Item2 == "prefill-7d9f").Item4, StringComparison.Ordinal);
        // Trouble from before the window is none of it.
        pods.Pods["prefill-7d9f"] = pods.Pods["prefill-7d9f"] with { Log = "2026-03-02T11:00:01.000000001Z " + Released };
        var later = await FerryRun.RunAsync(["verify", "-f", _description, "--access", "kubernetes", "--only", "log", "--log-since", "10m", "--json"], pods.Environment);
        var log = JsonNode.Parse(later.Output)!["results"]!.AsArray().Single(result => (string)result!["target"]! == "prefill-7d9f")!;
        Assert.Equal("pass", (string?)log["verdict"]);
        Assert.Contains("since 20", (string?)log["text"], StringComparison.Ordinal);

        // A pod that does not run was not looked at: nothing of it has passed.
        Assert.All(results.Where(result => result.Item2 is "decode" or "router"), result => Assert.NotEqual("pass", result.Item3));
        Assert.Contains(results, result => result.Item2 == "decode" && result.Item4.Contains("no pod of decode runs in namespace ai", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_OfPodsOnRdma_TellsTheOneThatMayLockMemoryFromTheOther()
    {
        await using var pods = await FakePods.StartAsync();
        await DescribeAsync("roce");
        pods.Pods["prefill-0"] = new("prefill", "", command => Answer(command, "A=1"));
        pods.Pods["decode-0"] = new("decode", "", command => Answer(command, "A=1", "unlimited"));
        var run = await FerryRun.RunAsync(["verify", "-f", _description, "--access", "kubernetes", "--only", "memlock", "--json"], pods.Environment);
        Assert.True(run.ExitCode == 1, run.Output + run.Error);
        var verdicts = JsonNode.Parse(run.Output)!["results"]!.AsArray().ToDictionary(result => (string)result!["target"]!, result => (string)result!["verdict"]!);
        Assert.Equal(("violation", "pass"), (verdicts["prefill-0"], verdicts["decode-0"]));
    }

    private Task DescribeAsync(string transport) => File.WriteAllTextAsync(_description, $$"""
        name: live
        model: { id: meta-llama/Llama-3.1-70B-Instruct }
        pools:
          - { name: prefill, role: prefill, accelerator: mi300x, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: prefill-0, address: 10.0.0.1 }] }
          - { name: decode, role: decode, accelerator: mi300x, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: decode-0, address: 10.0.0.2 }] }
        handover: { kind: nixl }
        transport: { kind: {{transport}} }
        kubernetes: { namespace: ai }
        """);

    private static (int Exit, string Output) Answer(string[] command, string environment, string memlock = "8388608") => command[^1].Contains("/proc/", StringComparison.Ordinal)
        ? (0, $"\u001E1\u001Dpython3\0/usr/local/bin/vllm\0serve\0m\0\u001D{environment}\0\u001DMax locked memory         {memlock}              {memlock}              bytes\n")
        : (127, "");
}
