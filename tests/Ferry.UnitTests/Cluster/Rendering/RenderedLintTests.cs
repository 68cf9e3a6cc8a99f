using Ferry.Cluster.Lint;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Sources;
using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>What render writes, lint finds nothing wrong with: both architectures, every target, both engines.</summary>
public sealed class RenderedLintTests
{
    [Theory]
    [MemberData(nameof(RenderCases.Everything), MemberType = typeof(RenderCases))]
    public void Lint_WhatWasRendered_FindsNothing(string name, RenderTarget target)
    {
        var report = Lint(RenderCases.Render(name, target));
        Assert.Empty(report.Findings.Select(finding => $"{finding.Severity} {finding.Rule.Id} {finding.Span.File.Path}:{finding.Span.Line}: {finding.Message}"));
        // It did look: the engines and the router are there.
        Assert.Contains("engine", report.Summary, StringComparison.Ordinal);
        Assert.Contains("router", report.Summary, StringComparison.Ordinal);
    }

    /// <summary>The rule that lets exchanges differ does so for their peers' sake alone.</summary>
    [Theory]
    [InlineData(RenderTarget.Docker, "decode-0/up.sh")]
    [InlineData(RenderTarget.Compose, "prefill-1/compose.yaml")]
    [InlineData(RenderTarget.Kubernetes, "decode-exchange.yaml")]
    public void Lint_OfAnExchangeThatNamesNoPeers_SaysWhoDoesNotReadFromWhom(RenderTarget target, string path)
    {
        var rendered = RenderCases.Render("exchange", target);
        var files = rendered.Files.Select(file => file.Path == path ? file with { Content = file.Content.Replace("--peer", "--quota", StringComparison.Ordinal) } : file);
        var findings = Lint(rendered with { Files = [.. files] }).Findings;
        Assert.All(findings, finding => Assert.Equal("FERRY-LMC040", finding.Rule.Id));
        Assert.Contains(findings, finding => finding.Message.Contains("does not read from", StringComparison.Ordinal));
    }

    /// <summary>Rendered with a warning because it is asked for: these are the only ways of which lint then has more than a note.</summary>
    [Theory]
    [InlineData("exchange", HandoverKind.Nixl, "FERRY-HPU006 FERRY-KVT008 FERRY-KVT014")]
    [InlineData("lmcache-pd", HandoverKind.LmcachePd, "FERRY-KVT014")]
    public void Lint_OfAHandoverThatVendorsDoNotShare_SaysWhyItCannotWork(string description, HandoverKind handover, string rules)
    {
        var spec = RenderCases.Spec(description);
        spec = spec with { Handover = spec.Handover with { Kind = handover }, Pools = [spec.Pools[0], spec.Pools[1] with { Accelerator = "gaudi3" }] };
        foreach (var target in Enum.GetValues<RenderTarget>())
        {
            var rendered = Renderer.Render(new RenderRequest { Spec = spec, Target = target });
            Assert.Contains(rendered.Warnings, warning => warning.Contains("vendors", StringComparison.Ordinal));
            var found = Lint(rendered).Findings.Where(finding => finding.Severity > LintSeverity.Info).Select(finding => finding.Rule.Id).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(rules, string.Join(' ', found));
        }
    }

    private static LintReport Lint(RenderedCluster rendered) =>
        Linter.Run([.. rendered.Files.Where(file => file.Path != "README.md").Select(file => new SourceFile(file.Path, file.Content))], LintOptions.Default);
}
