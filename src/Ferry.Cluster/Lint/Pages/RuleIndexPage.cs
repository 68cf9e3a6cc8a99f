using System.Text;
using Ferry.Cluster.Lint.Output;

namespace Ferry.Cluster.Lint.Pages;

/// <summary>docs/lint/README.md: how the check is used, and every rule.</summary>
internal static class RuleIndexPage
{
    private static readonly Dictionary<string, string> Groups = new(StringComparer.Ordinal)
    {
        ["CAP"] = "Capacity",
        ["CTR"] = "Containers",
        ["DOC"] = "What a page says",
        ["FIL"] = "Files",
        ["HPU"] = "Gaudi",
        ["K8S"] = "Kubernetes",
        ["KVT"] = "KV transfer configuration",
        ["LMC"] = "LMCache",
        ["PAIR"] = "Pairs of nodes",
        ["ROCM"] = "ROCm",
        ["SEC"] = "Security",
        ["SH"] = "Shell",
        ["UCX"] = "UCX and transport",
        ["VLLM"] = "vLLM's flags and variables",
    };

    public static string Of(IReadOnlyList<RuleInfo> rules)
    {
        var page = new StringBuilder();
        page.Append("# Rules of `ferry lint`\n\n");
        page.Append($"{rules.Count} rules check scripts, compose files, Kubernetes manifests, env files, LMCache YAML, Markdown guides and ferry.yaml, each alone and all together.\n");
        page.Append("Several files are one cluster. Nothing is executed, and no connection is opened.\n\n");
        page.Append("```text\nferry lint deploy/                       # every file of a directory\nferry lint prefill.sh decode.sh .env     # a pair of nodes\n");
        page.Append("ferry lint guide.md --fix --dry-run      # what could be mended by itself\nferry lint --explain FERRY-LMC001        # one rule\n");
        page.Append("ferry lint deploy/ --format sarif        # or json, github\nferry lint deploy/ --suppress lint.txt   # accepted findings, with reasons\n```\n\n");
        page.Append("The exit code is the worst severity: 2 error, 1 warning, 0 info or nothing.\n");
        page.Append("A line of a suppression file is `RULE: reason`, `RULE path: reason` or `RULE path:line: reason`.\n\n");
        foreach (var group in rules.GroupBy(rule => rule.Group).OrderBy(group => Title(group.Key), StringComparer.Ordinal))
        {
            page.Append($"## {Title(group.Key)}\n\n| Rule | Severity | What is wrong |\n|---|---|---|\n");
            foreach (var rule in group.OrderBy(rule => rule.Id, StringComparer.Ordinal))
            {
                page.Append($"| [{rule.Id}]({rule.Id}.md) | {LintText.Name(rule.Severity)} | {rule.Title.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
            }
            page.Append('\n');
        }
        page.Append("This page is generated from the rules; `ferry lint --write-docs docs/lint` writes it anew.\n");
        return page.ToString();
    }

    private static string Title(string group) => Groups.GetValueOrDefault(group, group);
}
