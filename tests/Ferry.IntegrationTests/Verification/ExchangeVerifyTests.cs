using Ferry.Cli.Up;
using Ferry.Cluster.Verification;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The probe of the exchange against a real <c>ferry cache</c>, started as rendered, with a fault of each kind.</summary>
public sealed class ExchangeVerifyTests
{
    private const string Name = "decode-0-exchange";

    [Fact]
    public async Task Exchange_AsDescribed_TakesItsPasswordAndNoOther()
    {
        await using var cluster = await LiveCluster.StartAsync(Yaml(), process => process.Name == Name ? process : null);
        var known = await ProbeAsync(cluster, LiveCluster.Secret);
        Assert.Equal(ProbeVerdict.Pass, known.Verdict);
        Assert.Contains("takes its password, and answers its peers", known.Text, StringComparison.Ordinal);

        var unknown = await ProbeAsync(cluster, null);
        Assert.Equal(ProbeVerdict.Inconclusive, unknown.Verdict);

        var wrong = await ProbeAsync(cluster, "another-password");
        Assert.Equal(ProbeVerdict.Violation, wrong.Verdict);
        Assert.Contains("refuses the password", wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("another-password", wrong.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "exchange")]
    public async Task Exchange_StartedWithoutItsPassword_IsAViolation()
    {
        await using var cluster = await LiveCluster.StartAsync(Yaml(), process => process.Name != Name ? null : process with { Environment = [.. process.Environment.Where(variable => variable.Secret is null)] });
        var open = await ProbeAsync(cluster, LiveCluster.Secret);
        Assert.Equal(ProbeVerdict.Violation, open.Verdict);
        Assert.Contains("answers without a password", open.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exchange_NotRunning_IsAViolation()
    {
        await using var cluster = await LiveCluster.StartAsync(Yaml(), _ => null);
        var gone = await ProbeAsync(cluster, LiveCluster.Secret);
        Assert.Equal(ProbeVerdict.Violation, gone.Verdict);
        Assert.Contains("Start the exchange", gone.Fix, StringComparison.Ordinal);
    }

    private static string Yaml()
    {
        using var ports = new LoopbackPorts();
        return $$"""
            name: live
            model: { id: meta-llama/Llama-3.1-8B-Instruct, maxLength: 1024 }
            pools:
              - { name: prefill, role: prefill, accelerator: mi300x, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: prefill-0, address: 127.0.0.2 }] }
              - { name: decode, role: decode, accelerator: gaudi3, engine: { kind: vllm, version: 0.24.0 }, nodes: [{ name: decode-0, address: 127.0.0.1 }] }
            cache: { memory: 512MiB, respPort: {{ports.Take(0)}}, adminPort: {{ports.Take(0)}} }
            """;
    }

    private static async Task<ProbeResult> ProbeAsync(LiveCluster cluster, string? password)
    {
        var options = new VerifyOptions { Access = VerifyAccess.Local, Only = ["exchange"], Variables = _ => password };
        var report = await Verifier.RunAsync(cluster.Spec, options, TimeProvider.System, null, TestContext.Current.CancellationToken);
        Assert.Equal(2, report.Results.Count); // Each node has its own; that of the decode node is the one which runs.
        return report.Results.Single(result => result.Target == Name);
    }
}
