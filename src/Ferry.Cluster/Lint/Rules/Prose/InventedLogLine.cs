using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Prose;

/// <summary>A log line that UCX does not print.</summary>
internal sealed class InventedLogLine : ProseRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-DOC004",
        Severity = LintSeverity.Info,
        Title = "A log line that UCX does not print",
        Why = "A reader searches the log for the line, does not find it and takes the setting for right. UCX warns that transports are not " +
            "available and goes on with the others; only when none is left does it fail.",
        Symptom = "`UCX  WARN  transports 'cuda_copy','cuda_ipc' are not available, please use one or more of: …`.",
        Fix = "Quote the real line.",
        Versions = "UCX 1.13 to 1.22",
        Sources = ["UCX src/ucp/core/ucp_context.c"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            UCX  WARN  transport 'cuda_copy' is not available, please use one or more of: cma, self, sm, tcp
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            ERROR: cuda_copy transport not available
            """),
    };

    private static readonly string[] Invented = ["cuda_copy transport not available", "cuda_ipc not supported on this platform"];

    protected override void CheckLine(SourceSpan line, string text, FindingSink findings)
    {
        foreach (var phrase in Invented)
        {
            var at = text.IndexOf(phrase, StringComparison.OrdinalIgnoreCase);
            if (at < 0) { continue; }
            findings.Report(Info, line.File.Span(line.Offset + at, phrase.Length), "UCX prints no such line. It says: UCX  WARN  transport 'cuda_copy' is not available, please use one or more of: …, and goes on with the rest of the list.");
        }
    }
}
