using Ferry.Cluster.Diagnosis;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

/// <summary>Each signature on a realistic log of its own; the guide's three troubleshooting cases; a clean log.</summary>
public sealed class SignatureSightingTests
{
    public static TheoryData<string> InLogs() => [.. SignatureTable.All.Where(signature => signature.Lines.Count > 0).Select(signature => signature.Id)];

    public static TheoryData<string> InMetrics() => [.. SignatureTable.All.Where(signature => signature.Metric is not null).Select(signature => signature.Id)];

    [Theory]
    [MemberData(nameof(InLogs))]
    public async Task Scan_LogOfTheSignature_FindsIt(string id)
    {
        var scan = await DiagnosisLogs.ScanAsync(DiagnosisLogs.Read($"{id}.log"));
        var sighting = Assert.Single(scan.Sightings, sighting => sighting.Signature.Id == id);
        Assert.True(sighting.FirstLine > 0 && sighting.Evidence.Count > 0);
    }

    [Theory]
    [MemberData(nameof(InLogs))]
    public async Task Diagnose_LogOfTheSignature_NamesNoCauseThatItIsNotAbout(string id)
    {
        // Either the signature itself is the root, or one that the table names as its cause.
        var diagnoser = new Diagnoser();
        await using var log = File.OpenRead(DiagnosisLogs.PathOf($"{id}.log"));
        await diagnoser.ReadLogAsync(id, log, TestContext.Current.CancellationToken);
        var causes = diagnoser.Report().Causes;
        Assert.Contains(causes, cause => cause.Signature.Id == id || cause.Consequences.Any(other => other.Signature.Id == id));
    }

    [Theory]
    [MemberData(nameof(InMetrics))]
    public void Judge_MetricsOfTheSignature_FindsIt(string id)
    {
        var diagnoser = new Diagnoser();
        diagnoser.ReadMetrics("http://node:8000/metrics", DiagnosisLogs.Read($"{id}.metrics"));
        Assert.Equal(id, Assert.Single(diagnoser.Report().Causes).Signature.Id);
    }

    [Fact]
    public async Task Scan_CleanLog_FindsNothing()
    {
        var scan = await DiagnosisLogs.ScanAsync(DiagnosisLogs.Read("clean.log"));
        Assert.Empty(scan.Sightings);
        Assert.Equal(["vLLM", "LMCache", "NIXL", "UCX", "Ferry", "Ceph"], scan.Voices);
    }

    [Fact]
    public void Judge_CleanMetrics_FindsNothing()
    {
        var diagnoser = new Diagnoser();
        diagnoser.ReadMetrics("node", DiagnosisLogs.Read("clean.metrics"));
        Assert.Empty(diagnoser.Report().Causes);
    }

    [Theory]
    [InlineData("guide-1.log", "DIAG-UCX-01")]
    [InlineData("guide-2.log", "DIAG-NIXL-09")]
    [InlineData("guide-3.log", "DIAG-RDMA-01")]
    public async Task Diagnose_CaseOfTheGuide_NamesItsCause(string log, string id)
    {
        var scan = await DiagnosisLogs.ScanAsync(DiagnosisLogs.Read(log));
        Assert.Contains(scan.Sightings, sighting => sighting.Signature.Id == id);
    }
}
