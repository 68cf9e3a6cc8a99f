using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Prose;

/// <summary>A transfer rate that one port or one core does not reach.</summary>
internal sealed partial class ImplausibleRate : ProseRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-DOC002",
        Severity = LintSeverity.Info,
        Title = "A transfer rate that one port or one core does not reach",
        Why = "A 400 Gb/s port carries at most 50 GB/s (42.6 measured between two MI355X nodes), a host-staged copy less, TCP 1 to 3 GB/s; one " +
            "core copies 5 to 10 GB/s through shared memory. A plan made with more promises times that no run will show.",
        Symptom = "`KV Transfer metrics: Throughput (MB/s)` far below the page's number.",
        Fix = "Name the links and how many there are, or measure.",
        Versions = "every version",
        Sources = ["NIXL #1647", "NIXL #2276", "vLLM #50913"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            - **RDMA throughput:** up to 50 GB/s for each 400 Gb/s port, less through host buffers
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            - **RDMA throughput:** 50-100 GB/s between nodes
            """),
    };

    /// <summary>GB/s of a 400 Gb/s port at line rate.</summary>
    private const double PortRate = 50;

    protected override void CheckLine(SourceSpan line, string text, FindingSink findings)
    {
        if (!text.Contains("GB/s", StringComparison.Ordinal) || InsideNode().IsMatch(text)) { return; }
        foreach (Match match in Rate().Matches(text))
        {
            if (!double.TryParse(match.Groups["most"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) || rate <= PortRate) { continue; }
            findings.Report(Info, line.File.Span(line.Offset + match.Index, match.Length), text.Contains("shared memory", StringComparison.OrdinalIgnoreCase)
                ? $"{match.Value}: through shared memory one core copies 5 to 10 GB/s."
                : $"{match.Value}: one 400 Gb/s port carries at most 50 GB/s, and less with host buffers (kv_buffer_device=cpu). Name the ports, or measure.");
        }
    }

    // A range or an open end: a single number may well be a measured one.
    [GeneratedRegex(@"\b(?:\d{1,4}\s?[-–]\s?(?<most>\d{2,4})|(?<most>\d{2,4})\+)\s?GB/s", RegexOptions.CultureInvariant)]
    private static partial Regex Rate();

    [GeneratedRegex(@"HBM|NVLink|xGMI|Infinity Fabric|PCIe|aggregate|ports\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex InsideNode();
}
