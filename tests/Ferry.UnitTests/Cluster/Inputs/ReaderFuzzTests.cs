using CsCheck;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Fixing;
using Ferry.Cluster.Sources;
using Xunit;

namespace Ferry.UnitTests.Cluster.Inputs;

/// <summary>No text crashes or hangs the readers and rules: examples of all rules, cut, joined and sprinkled with marks of every language.</summary>
public sealed class ReaderFuzzTests
{
    private static readonly string[] Paths = ["a.sh", "a.yaml", "compose.yaml", "a.env", "a.md", "a.json", "a", "<stdin>"];

    private static readonly string[] Marks =
    [
        "'", "\"", "\\", "\\\n", "\\ \n", "\r\n", "\n", "#", "$", "${", "${A:-", "}", "$(", ")", "`", "<", "<a-b>", "<<EOF\n", "EOF\n", ">", "|", "&", ";", "(", "A=(", "*a", "&a ", "<<: *a\n",
        "- ", ": ", "{", "[", "]", "```\n", "```bash\n", "~~~", "---\n", "{{ x }}", "!!binary ", "|\n", ">-\n", "%YAML 1.2\n", "\t", "\0", "\uFEFF", "\uD800", "é", "–", "“", "docker run ",
        "-e ", "--env-file=", "vllm serve ", "--kv-transfer-config '", "apiVersion: v1\nkind: Pod\n", "services:\n", "bash -c '", "ssh h '", "export ", "LMCACHE_", "s3://", "://", "lmcache.", "-tp -1 ",
    ];

    private static readonly string[] Seeds = [.. RuleCatalog.All.SelectMany(rule => new[] { rule.Info.BadExample.Text, rule.Info.GoodExample.Text }).Distinct()];

    private static readonly Gen<string> Damaged = Gen.Select(Any(Seeds), Any(Seeds), Gen.Select(Gen.Int[0, 4000], Any(Marks), Gen.Int[0, 3]).Array[0, 12])
        .Select((first, second, edits) =>
        {
            var text = first;
            foreach (var (at, mark, kind) in edits)
            {
                var place = text.Length == 0 ? 0 : at % text.Length;
                text = kind switch
                {
                    0 => text.Insert(place, mark),
                    1 => text[..place] + text[Math.Min(text.Length, place + mark.Length)..],
                    2 => text[..place] + second[(at % Math.Max(1, second.Length))..],
                    _ => text[..place] + mark,
                };
            }
            return text.Length > 20_000 ? text[..20_000] : text;
        });

    [Fact]
    public void Lint_OfDamagedFiles_NeitherThrowsNorPointsOutsideThem() =>
        Gen.Select(Damaged, Damaged, Any(Paths), Any(Paths)).Sample((first, second, path, other) =>
        {
            var report = Linter.Run([new SourceFile(path, first), new SourceFile("b/" + other, second)], LintOptions.Default);
            return report.Findings.All(finding => finding.Span.Offset >= 0 && finding.Span.End <= finding.Span.File.Text.Length && finding.Span.Line >= 1 &&
                finding.Fix.All(edit => edit.Span.Offset >= 0 && edit.Span.End <= edit.Span.File.Text.Length));
        }, iter: 3000);

    [Theory]
    [InlineData("vllm serve meta-llama/Llama-3.1-8B-Instruct --device \"hpu\n")]
    [InlineData("vllm serve meta-llama/Llama-3.1-8B-Instruct --device 'hpu\n")]
    [InlineData("vllm serve meta-llama/Llama-3.1-8B-Instruct --device \"hpu\r\n")]
    [InlineData("vllm serve meta-llama/Llama-3.1-8B-Instruct --device \"hpu\n\n")]
    public void Lint_AnOpenQuoteBehindARemovedFlag_IsReported(string text) =>
        Assert.Contains(Linter.Run([new SourceFile("run.sh", text)], LintOptions.Default).Findings, finding => finding.Message.Contains("--device", StringComparison.Ordinal));

    [Fact]
    public void Fix_OfDamagedFiles_EndsAndFindsNothingMoreToMend() =>
        Gen.Select(Damaged, Any(Paths)).Sample((text, path) =>
        {
            var result = LintFixer.Fix([new SourceFile(path, text)], LintOptions.Default);
            return result.Files.Count == 1;
        }, iter: 300);

    [Theory]
    [InlineData("(", 200_000)]
    [InlineData("$(", 100_000)]
    [InlineData("\"$(", 60_000)]
    [InlineData("'", 200_001)]
    [InlineData("docker run \\\n # c\n", 5_000)]
    [InlineData("[", 100_000)]
    [InlineData("{a: ", 50_000)]
    [InlineData("- ", 100_000)]
    [InlineData("```\n", 50_001)]
    [InlineData("<<E\n", 50_000)]
    [InlineData("a=$a$a$a\n", 20_000)]
    [InlineData("x() { bash -c 'bash -c \"", 10_000)]
    public void Lint_OfLongRepetitions_EndsSoon(string part, int count)
    {
        var text = string.Concat(Enumerable.Repeat(part, count));
        foreach (var path in new[] { "a.sh", "a.yaml", "a.md" })
        {
            var watch = TimeProvider.System.GetTimestamp();
            Linter.Run([new SourceFile(path, text)], LintOptions.Default);
            Assert.True(TimeProvider.System.GetElapsedTime(watch) < TimeSpan.FromSeconds(20), $"{part} × {count} as {path}");
        }
    }

    private static Gen<string> Any(string[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
