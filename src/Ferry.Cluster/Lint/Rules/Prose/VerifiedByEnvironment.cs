using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Prose;

/// <summary>Reading the variable back proves nothing about the transport.</summary>
internal sealed partial class VerifiedByEnvironment : ProseRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-DOC005",
        Severity = LintSeverity.Info,
        Title = "Reading the variable back proves nothing about the transport",
        Why = "env shows what was asked for. UCX leaves out what it cannot use with a warning, so a wrong list looks right.",
        Symptom = "UCX_TLS is as expected and every byte goes over TCP.",
        Fix = "Look at ucx_info -d in the container, at UCX_PROTO_INFO=y, and at the rate in vLLM's KV Transfer metrics; ferry verify does.",
        Versions = "every version",
        Sources = ["UCX documentation, FAQ"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            docker exec vllm-prefill ucx_info -d
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            docker exec vllm-prefill env | grep UCX_TLS
            """),
    };

    protected override void CheckLine(SourceSpan line, string text, FindingSink findings)
    {
        // A search for CUDA names, further along the pipe, does find something.
        if (Command().Match(text) is not { Success: true } match || text.Contains("grep -q cuda", StringComparison.Ordinal)) { return; }
        findings.Report(Info, line.File.Span(line.Offset + match.Index, match.Length), "this shows what was asked for, not what UCX uses. Look at ucx_info -d in the container, UCX_PROTO_INFO=y and the measured rate.");
    }

    [GeneratedRegex(@"\benv\s*\|\s*grep\s+(?:-\w+\s+)?UCX_TLS\b", RegexOptions.CultureInvariant)]
    private static partial Regex Command();
}
