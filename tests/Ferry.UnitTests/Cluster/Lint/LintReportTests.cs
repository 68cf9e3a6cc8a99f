using System.Text;
using System.Text.Json;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Fixing;
using Ferry.Cluster.Lint.Output;
using Ferry.Cluster.Lint.Pages;
using Ferry.Cluster.Sources;
using Ferry.UnitTests.Tidy;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

public sealed class LintReportTests
{
    private const string Script = "docker run -d --name decode \\\n  # transport\n  -e AWS_SECRET_ACCESS_KEY=hunter2hunter2 \\\n  -e LMCACHE_MAX_LOCAL_CPU_SZIE=20 \\\n  -e LMCACHE_REMOTE_URL=redis://u:pass9word@h:6379 \\\n  img:1 vllm serve m --api-key sk-abcdefgh\n";

    [Fact]
    public void Run_OnSecrets_ShowsNoneOfThem()
    {
        var report = Linter.Run([new SourceFile("a.sh", Script)], LintOptions.Default);
        var output = new StringWriter();
        LintGitHub.Write(report, output);
        var all = Json(report).GetRawText() + Sarif(report).GetRawText() + output + report.Redact(Script);
        Assert.All(new[] { "hunter2", "pass9word", "sk-abcdefgh" }, secret => Assert.DoesNotContain(secret, all, StringComparison.Ordinal));
    }

    [Fact]
    public void Json_OfAFinding_HasRuleSeverityFileLineMessageAndFix()
    {
        var finding = Json(Linter.Run([new SourceFile("a.sh", Script)], LintOptions.Default)).GetProperty("findings").EnumerateArray()
            .First(finding => finding.GetProperty("rule").GetString() == "FERRY-LMC002");
        Assert.Equal(("error", "a.sh", 4), (finding.GetProperty("severity").GetString(), finding.GetProperty("file").GetString(), finding.GetProperty("line").GetInt32()));
        Assert.Equal("LMCACHE_MAX_LOCAL_CPU_SIZE", finding.GetProperty("fix").GetProperty("edits")[0].GetProperty("newText").GetString());
    }

    [Fact]
    public void Sarif_OfAReport_NamesEachRuleOnceAndPointsAtIt()
    {
        var run = Sarif(Linter.Run([new SourceFile("a dir/a.sh", Script)], LintOptions.Default)).GetProperty("runs")[0];
        var rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray().Select(rule => rule.GetProperty("id").GetString()).ToList();
        Assert.Equal(rules.Distinct(), rules);
        foreach (var result in run.GetProperty("results").EnumerateArray())
        {
            Assert.Equal(result.GetProperty("ruleId").GetString(), rules[result.GetProperty("ruleIndex").GetInt32()]);
            Assert.Equal("a%20dir/a.sh", result.GetProperty("locations")[0].GetProperty("physicalLocation").GetProperty("artifactLocation").GetProperty("uri").GetString());
        }
    }

    [Fact]
    public void Fix_OfAScript_MovesCommentsAboveAndKeepsEverythingElse()
    {
        var result = LintFixer.Fix([new SourceFile("a.sh", Script)], LintOptions.Default);
        Assert.Equal(Script.Replace("  # transport\n", "", StringComparison.Ordinal).Replace("SZIE", "SIZE", StringComparison.Ordinal)
                .Replace("docker run", "# transport\ndocker run", StringComparison.Ordinal)
                .Replace("  -e LMCACHE_REMOTE_URL", "  -e PYTHONHASHSEED=0 \\\n  -e LMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor \\\n  -e LMCACHE_REMOTE_URL", StringComparison.Ordinal),
            result.Files[0].Text);
        Assert.DoesNotContain(result.Remaining.Findings, finding => finding.Rule.Id is "FERRY-SH001" or "FERRY-LMC002" or "FERRY-LMC029");
    }

    [Fact]
    public void Suppressions_OfALineAndAFile_TakeTheirFindingsOut()
    {
        var errors = new List<string>();
        var suppressions = Suppressions.Read(new SourceFile("s.txt", "# accepted\nFERRY-LMC002 a.sh:4: an image of our own reads it\nferry-sh001: fixed next week\n"), errors);
        Assert.Empty(errors);
        var report = Linter.Run([new SourceFile("x/a.sh", Script)], new LintOptions(suppressions));
        Assert.DoesNotContain(report.Findings, finding => finding.Rule.Id is "FERRY-LMC002" or "FERRY-SH001");
        Assert.Equal(2, report.SuppressedCount);
    }

    [Theory]
    [InlineData("FERRY-LMC02: typo", "s.txt:1: there is no rule FERRY-LMC02. Did you mean FERRY-LMC002?")]
    [InlineData("FERRY-LMC002", "s.txt:1: FERRY-LMC002 is suppressed without a reason. Write 'FERRY-LMC002: why', or 'FERRY-LMC002 path:line: why'.")]
    [InlineData("FERRY-LMC002 a.sh:x: why", "s.txt:1: 'x' is no line number.")]
    public void Suppressions_ThatSayNothingUseful_AreErrors(string line, string error)
    {
        var errors = new List<string>();
        Suppressions.Read(new SourceFile("s.txt", line), errors);
        Assert.Equal([error], errors);
    }

    [Fact]
    public void Diff_OfTwoTexts_HasContextAndCounts()
    {
        var before = string.Concat(Enumerable.Range(1, 12).Select(line => $"{line}\n"));
        Assert.Equal(["--- a", "+++ a (fixed)", "@@ -3,7 +3,8 @@", " 3", " 4", " 5", "-6", "+six", "+six and a half", " 7", " 8", " 9"],
            UnifiedDiff.Of("a", before, before.Replace("6\n", "six\nsix and a half\n", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pages_OfTheRules_AreThoseInTheDocs()
    {
        var pages = RulePages.All();
        foreach (var (name, text) in pages)
        {
            Assert.True(Repository.Files(name, "docs/lint").Any() && Repository.Read($"docs/lint/{name}") == text, $"docs/lint/{name} is not what the rule says: run 'ferry lint --write-docs docs/lint'.");
        }
        Assert.Equal(pages.Keys.Order(StringComparer.Ordinal), Repository.Files("*.md", "docs/lint").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private static JsonElement Json(LintReport report)
    {
        using var stream = new MemoryStream();
        LintJson.Write(report, stream);
        return JsonDocument.Parse(Encoding.UTF8.GetString(stream.ToArray())).RootElement;
    }

    private static JsonElement Sarif(LintReport report)
    {
        using var stream = new MemoryStream();
        LintSarif.Write(report, "1.2.3", stream);
        return JsonDocument.Parse(Encoding.UTF8.GetString(stream.ToArray())).RootElement;
    }
}
