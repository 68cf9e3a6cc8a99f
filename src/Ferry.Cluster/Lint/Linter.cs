using Ferry.Cluster.Inputs;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>Checks files together as one cluster. Executes nothing, opens no connection, reads no file.</summary>
public static class Linter
{
    /// <summary>Whether a file is of a kind that is checked; for directories, which hold much else. A file that is no valid YAML counts.</summary>
    public static bool Recognises(SourceFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return FileKinds.Of(SourcedText.Of(file), file.Path) is not (FileKind.Unknown or FileKind.OtherYaml or FileKind.Empty);
    }

    /// <summary>Reads the files, applies every rule and orders what they found by file, line and rule.</summary>
    public static LintReport Run(IReadOnlyList<SourceFile> files, LintOptions options)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        var reading = ClusterReader.Read(files);
        var secrets = SecretValues.Of(reading.Cluster, reading.Secrets);
        var sink = new FindingSink(secrets);
        foreach (var rule in RuleCatalog.All)
        {
            rule.Check(reading.Cluster, sink);
        }
        var order = files.Select((file, index) => (file.Path, index)).DistinctBy(entry => entry.Path).ToDictionary(entry => entry.Path, entry => entry.index);
        LintFinding[] kept = [.. sink.Findings.Where(finding => options.Suppressions?.Covers(finding) is not true)
            .OrderBy(finding => order.GetValueOrDefault(finding.Span.File.Path)).ThenBy(finding => finding.Span.Offset)
            .ThenBy(finding => finding.Rule.Id, StringComparer.Ordinal).ThenBy(finding => finding.Message, StringComparer.Ordinal)];
        return new LintReport(files, kept, sink.Findings.Count - kept.Length, sink.DroppedCount, ClusterSummary.Of(reading.Cluster)) { Secrets = secrets };
    }
}
