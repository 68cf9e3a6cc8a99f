using Ferry.Cluster.Lint;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>Every rule is tested by its own examples: what its page shows is what it does.</summary>
public sealed class RuleExampleTests
{
    public static TheoryData<string> Ids() => [.. RuleCatalog.All.Select(rule => rule.Info.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_OnItsBadExample_FindsIt(string id)
    {
        var rule = RuleCatalog.Find(id)!;
        Assert.Contains(Examples.Lint(rule.Info.BadExample).Findings, finding => finding.Rule.Id == id);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_OnItsGoodExample_IsSilent(string id)
    {
        var rule = RuleCatalog.Find(id)!;
        Assert.DoesNotContain(Examples.Lint(rule.Info.GoodExample).Findings, finding => finding.Rule.Id == id);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_OfTheCatalog_SaysAllThatItsPageNeeds(string id)
    {
        var info = RuleCatalog.Find(id)!.Info;
        Assert.Matches("^FERRY-[A-Z][A-Z0-9]{1,3}[0-9]{3}$", info.Id);
        Assert.All(new[] { info.Title, info.Why, info.Symptom, info.Fix, info.Versions }, text => Assert.True(text.Length > 10, $"{id}: '{text}'"));
        Assert.NotEmpty(info.Sources);
        Assert.False(info.Title.EndsWith('.'), $"{id}: a title has no full stop.");
    }

    [Fact]
    public void Ids_OfTheCatalog_AreUnique() =>
        Assert.Equal(RuleCatalog.All.Count, RuleCatalog.All.Select(rule => rule.Info.Id).Distinct().Count());
}
