using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Prose;

/// <summary>A table of transports says what UCX does not do.</summary>
internal sealed partial class TransportTable : ProseRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-DOC003",
        Severity = LintSeverity.Info,
        Title = "A table of transports says what UCX does not do",
        Why = "rocm is a copy engine and an IPC path; gaudi is a memory domain that moves no bytes by itself and needs a host RDMA card; dc " +
            "exists on mlx5 cards only. GPU-direct RDMA is rc's doing, with a dma-buf or peer memory.",
        Symptom = "Nothing shows at run time.",
        Fix = "Say so in the table.",
        Versions = "UCX 1.13 to 1.22",
        Sources = ["UCX #9598", "UCX #11017", "UCX src/ucp/core/ucp_context.c"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            | **rocm** | copies and IPC of AMD GPUs on one host | ROCm only |
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            | **rocm** | AMD GPU direct transport | ROCm only |
            """),
    };

    protected override void CheckLine(SourceSpan line, string text, FindingSink findings)
    {
        if (text[0] != '|' || Row().Match(text) is not { Success: true } match) { return; }
        var rest = text[(match.Index + match.Length)..];
        var isDirect = rest.Contains("direct", StringComparison.OrdinalIgnoreCase);
        var fact = match.Groups["name"].Value switch
        {
            "rocm" when isDirect => "rocm is rocm_copy and rocm_ipc: copies and IPC on one host. GPU-direct between nodes is rc's, with a dma-buf",
            "gaudi" or "gaudi_gdr" when isDirect => "gaudi (gaudi_gdr, UCX 1.21) is a memory domain: it moves no bytes by itself and needs rc and a host RDMA card",
            "dc" when rest.Contains("all hardware", StringComparison.OrdinalIgnoreCase) => "dc exists on mlx5 cards only",
            _ => null,
        };
        if (fact is not null) { findings.Report(Info, line, $"{fact}."); }
    }

    [GeneratedRegex(@"^\|\s*[*`]{0,3}(?<name>rocm|gaudi_gdr|gaudi|dc)[*`]{0,3}\s*\|", RegexOptions.CultureInvariant)]
    private static partial Regex Row();
}
