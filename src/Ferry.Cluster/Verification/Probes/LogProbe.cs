using Ferry.Cluster.Diagnosis;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The log of each process, since it started or within the window that was asked for, shows none of the troubles that <c>ferry diagnose</c> knows.</summary>
internal sealed class LogProbe : IProbe
{
    private const int CausesShown = 3;

    public string Id => "log";

    public string Title => "logs show no known trouble";

    public TimeSpan Timeout => TimeSpan.FromSeconds(60);

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Targets.Select(target => new ProbeTask(target.Name, token => RunAsync(cluster, target, token)));

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, VerifyTarget target, CancellationToken cancellationToken)
    {
        var diagnoser = new Diagnoser();
        await using var log = await target.Access.OpenLogAsync(cluster.Time.GetUtcNow() - cluster.Options.LogWindow, cancellationToken);
        await diagnoser.ReadLogAsync(target.Name, log.Stream, cancellationToken);
        var report = diagnoser.Report();
        var causes = report.Causes.Where(cause => cause.Signature.Severity > SignatureSeverity.Hint).ToList();
        var lines = report.Inputs[0].Lines;
        return causes.Count == 0
            ? ProbeAnswer.Pass($"nothing known in {lines} lines {log.From}")
            : ProbeAnswer.Violation(
                string.Join("; ", causes.Take(CausesShown).Select(cause => $"{cause.Signature.Title} ({cause.Signature.Id}, {cause.Count}×, first at line {cause.Sightings[0].FirstLine})")) + (causes.Count > CausesShown ? $"; {causes.Count - CausesShown} more" : "") + $"; {log.From}",
                causes[0].Signature.Fix);
    }
}
