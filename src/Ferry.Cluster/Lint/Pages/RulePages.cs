namespace Ferry.Cluster.Lint.Pages;

/// <summary>All pages of docs/lint.</summary>
public static class RulePages
{
    /// <summary>File name to text, the index among them.</summary>
    public static IReadOnlyDictionary<string, string> All()
    {
        RuleInfo[] rules = [.. RuleCatalog.All.Select(rule => rule.Info)];
        var pages = rules.ToDictionary(rule => $"{rule.Id}.md", RulePage.Of, StringComparer.Ordinal);
        pages["README.md"] = RuleIndexPage.Of(rules);
        return pages;
    }

    /// <summary>What a rule says, or null for an unknown id; then <paramref name="nearest"/> is the nearest known one, if any is near.</summary>
    public static RuleInfo? Find(string id, out string? nearest)
    {
        ArgumentNullException.ThrowIfNull(id);
        var rule = RuleCatalog.Find(id) ?? RuleCatalog.Find($"FERRY-{id}");
        nearest = rule is null ? RuleCatalog.Nearest(id) ?? RuleCatalog.Nearest($"FERRY-{id}") : null;
        return rule?.Info;
    }
}
