using Ferry.Cluster.Diagnosis;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class DiagnosePageTests
{
    /// <summary>Set to 1 to write the table into the page instead of comparing it.</summary>
    private const string WriteVariable = "FERRY_WRITE_DOCS";

    [Fact]
    public void Table_OfThePage_IsThatOfTheProgram()
    {
        var path = RepositoryRoot.At("docs", "diagnose.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf(DiagnosePage.Begin, StringComparison.Ordinal) + DiagnosePage.Begin.Length;
        Assert.True(begin > DiagnosePage.Begin.Length, "docs/diagnose.md has no place for the table.");
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            File.WriteAllText(path, page[..begin] + "\n" + DiagnosePage.Table());
            return;
        }
        Assert.True(page[begin..].TrimStart('\n') == DiagnosePage.Table().TrimStart('\n'), $"docs/diagnose.md is not up to date: run this test with {WriteVariable}=1.");
    }
}
