using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Fixing;
using Ferry.Cluster.Sources;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>What rules offer as edits mends what they found, and no two rules undo each other.</summary>
public sealed class RuleFixTests
{
    public static TheoryData<string> Ids() => [.. RuleCatalog.All.Select(rule => rule.Info.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Fix_OfTheBadExample_LeavesNothingToMend(string id)
    {
        var result = LintFixer.Fix(Examples.Files(RuleCatalog.Find(id)!.Info.BadExample), LintOptions.Default);
        Assert.Empty(result.Remaining.Findings.Where(finding => finding.Fix.Count > 0).Select(finding => $"{finding.Rule.Id} {finding.Message}"));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Fix_OfTheBadExample_TakesTheFindingAway(string id)
    {
        var rule = RuleCatalog.Find(id)!;
        var files = Examples.Files(rule.Info.BadExample);
        var before = Linter.Run(files, LintOptions.Default).Findings.Where(finding => finding.Rule.Id == id).ToArray();
        if (before.Any(finding => finding.Fix.Count == 0)) { return; }   // a person must decide
        Assert.DoesNotContain(LintFixer.Fix(files, LintOptions.Default).Remaining.Findings, finding => finding.Rule.Id == id);
    }

    [Fact]
    public void Fix_OfTheGuide_LeavesWhatAPersonMustDecide()
    {
        var text = File.ReadAllText(RepositoryRoot.At("tests", "data", "guides", "mi300x-gaudi3-lmcache.md"));
        var result = LintFixer.Fix([new SourceFile("guide.md", text)], LintOptions.Default);
        Assert.Empty(result.Remaining.Findings.Where(finding => finding.Fix.Count > 0).Select(finding => $"{finding.Rule.Id} {finding.Message}"));
        // Of the shell's group only the placeholders are left, which the reader fills in.
        Assert.All(result.Remaining.Findings.Where(finding => finding.Rule.Group == "SH"), finding => Assert.Equal("FERRY-SH006", finding.Rule.Id));
        Assert.DoesNotContain(result.Remaining.Findings, finding => finding.Rule.Id is "FERRY-SEC003" or "FERRY-VLLM003" or "FERRY-VLLM004" or "FERRY-UCX008" or "FERRY-HPU001" or "FERRY-HPU003");
        Assert.DoesNotContain("--trust-remote-code", result.Files[0].Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\\n```", result.Files[0].Text, StringComparison.Ordinal);
    }
}
