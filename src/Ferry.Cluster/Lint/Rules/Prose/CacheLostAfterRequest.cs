using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Prose;

/// <summary>The page says that the cache is lost after a request.</summary>
internal sealed partial class CacheLostAfterRequest : ProseRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-DOC001",
        Severity = LintSeverity.Info,
        Title = "The page says that the cache is lost after a request",
        Why = "vLLM's prefix cache keeps a finished request's blocks on the prefill and on the decode node until they are evicted, and so do " +
            "LMCache's tiers. Who believes the page routes without looking at prefixes and adds a store to get what is there already.",
        Symptom = "Nothing shows at run time.",
        Fix = "Say that KV stays until it is evicted or the process ends; that only the remote tier outlives the process (LMCache's index of " +
            "its disk tier is in memory).",
        Versions = "vLLM 0.9 and later",
        Sources = ["vLLM docs/features/automatic_prefix_caching.md", "LMCache lmcache/v1/storage_backend/local_disk_backend.py"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            Persistence: until eviction, or until the process ends
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            Persistence: None (cache lost after request)
            """),
    };

    protected override void CheckLine(SourceSpan line, string text, FindingSink findings)
    {
        if (Claim().Match(text) is { Success: true } match)
        {
            findings.Report(Info, line.File.Span(line.Offset + match.Index, match.Length), "KV is not lost after a request: vLLM keeps it in its prefix cache on both nodes until it is evicted.");
        }
    }

    [GeneratedRegex(@"\bcache(?: is)? (?:lost|gone|discarded|dropped) after (?:a |each |every |the )?request", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Claim();
}
