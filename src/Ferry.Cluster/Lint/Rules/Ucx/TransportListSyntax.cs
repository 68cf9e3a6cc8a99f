using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TLS is not written as UCX reads it.</summary>
internal sealed class TransportListSyntax : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX010",
        Severity = LintSeverity.Error,
        Title = "UCX_TLS is not written as UCX reads it",
        Why = "The list is split at commas and nothing else: names are case-sensitive and not trimmed, ^ denies only as the very first " +
            "character, all stands alone, and an empty value is a hard error.",
        Symptom = "`UCX  WARN  transport ' self' is not available`; or: The TLs list is empty. Please specify the transports you would like to " +
            "allow/forbid or omit the UCX_TLS …",
        Fix = "Write lower-case names with commas and no blanks.",
        Versions = "UCX 1.13 and later",
        Sources = ["UCX src/ucs/config/parser.c", "UCX src/ucp/core/ucp_context.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e "UCX_TLS=rc, tcp, sm, self" \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            UcxTlsProblem[] problems = [.. ucx.List.Problems.Where(problem =>
                problem.Kind is UcxTlsProblemKind.Empty or UcxTlsProblemKind.TooLong or UcxTlsProblemKind.Space or UcxTlsProblemKind.Misplaced)];
            // One finding for a list of blanks, not one a name; the edit mends them all.
            if (problems.Length == 0) { continue; }
            var trimmed = string.Join(',', ucx.Value.Value.Split(',').Select(name => name.Trim()).Where(name => name.Length > 0));
            var isMended = problems.All(problem => problem.Kind == UcxTlsProblemKind.Space || (problem.Kind == UcxTlsProblemKind.Empty && trimmed.Length > 0));
            findings.Report(Info, problems[0].Entry.Length > 0 ? ucx.SpanOf(problems[0].Entry) : ucx.Value.Span, problems[0].Text,
                isMended ? Edits.Replace(ucx.Value, trimmed) : []);
        }
    }
}
