using Ferry.Cluster.Diagnosis;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class CauseRankingTests
{
    [Fact]
    public async Task Report_TransportMissing_ExplainsNixlAndTheDeadEngine()
    {
        var report = await DiagnoseAsync(("decode", DiagnosisLogs.Read("DIAG-UCX-01.log") + DiagnosisLogs.Read("DIAG-UCX-04.log") + DiagnosisLogs.Read("DIAG-VLLM-13.log")));

        var cause = Assert.Single(report.Causes);
        Assert.Equal("DIAG-UCX-01", cause.Signature.Id);
        Assert.Equal(["DIAG-NIXL-01", "DIAG-UCX-02", "DIAG-UCX-04", "DIAG-VLLM-13"], cause.Consequences.Select(other => other.Signature.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Report_SilentCorruptionAmongFailures_StandsFirst()
    {
        var report = await DiagnoseAsync(("a", DiagnosisLogs.Read("DIAG-VLLM-11.log")), ("b", DiagnosisLogs.Read("DIAG-NIXL-08.log")), ("c", DiagnosisLogs.Read("DIAG-UCX-10.log")));
        Assert.Equal(["DIAG-NIXL-08", "DIAG-VLLM-11", "DIAG-NIXL-07", "DIAG-UCX-10"], report.Causes.Select(cause => cause.Signature.Id));
    }

    [Fact]
    public async Task Evidence_OfTheOtherNodesLog_IsMissingUntilItIsGiven()
    {
        var alone = await DiagnoseAsync(("prefill", DiagnosisLogs.Read("DIAG-NIXL-07.log")));
        Assert.Contains(Assert.Single(alone.Causes).Missing, need => need.Command.Contains("DECODE", StringComparison.Ordinal) && need.What == "the decode node's log");

        var both = await DiagnoseAsync(("prefill", DiagnosisLogs.Read("DIAG-NIXL-07.log")), ("decode", "kv_transfer_config=KVTransferConfig(kv_connector='NixlConnector', kv_role='kv_consumer')"));
        var cause = Assert.Single(both.Causes);
        Assert.Contains(cause.Present, need => need.What == "the decode node's log");
        Assert.DoesNotContain(cause.Missing, need => need.What == "the decode node's log");
    }

    [Fact]
    public async Task Report_MetricsBesideTheLog_IsOneCauseWithItsConsequence()
    {
        var diagnoser = new Diagnoser();
        await using var log = File.OpenRead(DiagnosisLogs.PathOf("DIAG-NIXL-13.log"));
        await diagnoser.ReadLogAsync("decode", log, TestContext.Current.CancellationToken);
        diagnoser.ReadMetrics("http://decode/metrics", DiagnosisLogs.Read("DIAG-METRIC-01.metrics"));
        var cause = Assert.Single(diagnoser.Report().Causes);
        Assert.Equal(("DIAG-NIXL-13", "DIAG-METRIC-01"), (cause.Signature.Id, Assert.Single(cause.Consequences).Signature.Id));
    }

    private static async Task<DiagnosisReport> DiagnoseAsync(params (string Name, string Text)[] logs)
    {
        var diagnoser = new Diagnoser();
        foreach (var (name, text) in logs)
        {
            using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
            await diagnoser.ReadLogAsync(name, stream, TestContext.Current.CancellationToken);
        }
        return diagnoser.Report();
    }
}
