using System.CommandLine;
using System.Reflection;
using Ferry.Cli.Commands.Cluster.Lint;
using Ferry.Cli.Help;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Fixing;
using Ferry.Cluster.Lint.Output;
using Ferry.Cluster.Lint.Pages;
using Ferry.Cluster.Sources;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry lint</c>: checks the configuration of a cluster before anything runs.</summary>
internal static class LintCommand
{
    private static readonly string[] Formats = ["human", "json", "sarif", "github"];

    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry lint prefill.sh decode.sh", "Check two nodes alone and as a pair"),
        new("ferry lint deploy/ --format sarif > lint.sarif", "Every file of a directory, for code scanning"),
        new("ferry lint guide.md --fix --dry-run", "Show what could be mended by itself"),
        new("helm template kv ./chart | ferry lint -", "What a chart renders, from standard input"),
        new("ferry lint --explain FERRY-LMC001", "Why a rule matters, how it shows, and how to mend it"),
    ];

    public static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "Scripts, compose files, Kubernetes YAML, env files, LMCache YAML, Markdown guides, ferry.yaml, directories of them, or - for standard input; all together are one cluster", Arity = ArgumentArity.ZeroOrMore };
        var format = new Option<string>("--format") { Description = "human, json, sarif or github", DefaultValueFactory = _ => "human", HelpName = "format" };
        var fix = new Option<bool>("--fix") { Description = "Mend what can be mended by exact edits, and show them as a diff" };
        var dryRun = new Option<bool>("--dry-run") { Description = "With --fix: show the diff, change nothing" };
        var explain = new Option<string?>("--explain") { Description = "Print what a rule is about", HelpName = "rule" };
        var suppress = new Option<string?>("--suppress") { Description = "File of accepted findings, one a line: RULE [path[:line]]: reason", HelpName = "file" };
        var writeDocs = new Option<string?>("--write-docs") { Description = "Write a page for every rule into a directory", HelpName = "directory", Hidden = true };
        var command = new FerryCommand("lint", "Check the configuration of a cluster, each file alone and all together: exit code 2 error, 1 warning, 0 nothing worse", Examples)
        {
            files, format, fix, dryRun, explain, suppress, writeDocs,
        };
        command.SetAction(result =>
        {
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(writeDocs) is { } directory) { return WritePages(directory, output); }
            if (result.GetValue(explain) is { } rule) { return Explain(rule, output); }
            var chosen = result.GetValue(format)!;
            if (!Formats.Contains(chosen)) { throw new UsageException($"--format is '{chosen}'; it must be one of {string.Join(", ", Formats)}."); }
            if (result.GetValue(dryRun) && !result.GetValue(fix)) { throw new UsageException("--dry-run goes with --fix."); }
            var options = new LintOptions(ReadSuppressions(result.GetValue(suppress)));
            var sources = LintInputs.Read(result.GetValue(files) ?? [], out var passedOver);
            return result.GetValue(fix) ? Fix(sources, options, chosen, result.GetValue(dryRun), output) : Report(Linter.Run(sources, options) with { PassedOverCount = passedOver }, chosen, output);
        });
        return command;
    }

    private static int Report(LintReport report, string format, TextWriter output)
    {
        switch (format)
        {
            case "json": WriteBytes(stream => LintJson.Write(report, stream), output); break;
            case "sarif": WriteBytes(stream => LintSarif.Write(report, Version(), stream), output); break;
            case "github": LintGitHub.Write(report, output); break;
            default: new LintScreen(TerminalConsole.Create(output)).Show(report); break;
        }
        return report.ExitCode;
    }

    private static int Fix(IReadOnlyList<SourceFile> sources, LintOptions options, string format, bool dryRun, TextWriter output)
    {
        if (!dryRun && sources.Any(file => file.Path == LintInputs.StandardInput)) { throw new UsageException("--fix cannot rewrite standard input; add --dry-run to see the diff."); }
        var result = LintFixer.Fix(sources, options);
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Text == result.Files[i].Text) { continue; }
            if (!dryRun) { LintInputs.Replace(result.Files[i]); }
        }
        if (format == "human") { new LintScreen(TerminalConsole.Create(output)).ShowFixes(sources, result, dryRun); }
        return Report(result.Remaining, format, output);
    }

    private static int Explain(string id, TextWriter output)
    {
        if (RulePages.Find(id, out var nearest) is not { } rule)
        {
            throw new UsageException($"there is no rule {id}.{(nearest is null ? " docs/lint/README.md lists them." : $" Did you mean {nearest}?")}");
        }
        new LintScreen(TerminalConsole.Create(output)).Explain(rule);
        return FerryCommandLine.Done;
    }

    private static Suppressions? ReadSuppressions(string? path)
    {
        if (path is null) { return null; }
        var errors = new List<string>();
        var suppressions = Suppressions.Read(LintInputs.ReadFile(path), errors);
        return errors.Count == 0 ? suppressions : throw new UsageException(string.Join('\n', errors));
    }

    private static int WritePages(string directory, TextWriter output)
    {
        Directory.CreateDirectory(directory);
        var pages = RulePages.All();
        foreach (var (name, text) in pages) { File.WriteAllText(Path.Combine(directory, name), text); }
        foreach (var old in Directory.EnumerateFiles(directory, "FERRY-*.md").Where(path => !pages.ContainsKey(Path.GetFileName(path)))) { File.Delete(old); }
        output.WriteLine($"{pages.Count} pages in {directory}.");
        return FerryCommandLine.Done;
    }

    private static void WriteBytes(Action<Stream> write, TextWriter output)
    {
        using var buffer = new MemoryStream();
        write(buffer);
        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private static string Version() => typeof(LintCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
}
