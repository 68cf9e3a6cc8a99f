using Ferry.Cluster.Diagnosis;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>A diagnosis for people: roots first, each with what shows it, why, what to do, and what would make it certain.</summary>
internal static class DiagnosisText
{
    private const int SightingsShown = 4;
    private const int EvidenceShown = 3;

    /// <summary>Wider than any row.</summary>
    private const int NeverWrapColumns = 4096;

    public static void Write(DiagnosisReport report, IAnsiConsole console)
    {
        Widen(console);
        foreach (var problem in report.Problems)
        {
            console.MarkupLineInterpolated($"[red]not read[/]  {problem}");
        }
        foreach (var input in report.Inputs.Where(input => input.Note.Length > 0))
        {
            console.MarkupLineInterpolated($"[yellow]note[/]  {input.Input}: {input.Note}");
        }
        var number = 0;
        foreach (var cause in report.Causes)
        {
            console.WriteLine();
            Write(cause, ++number, console);
        }
        if (report.Causes.Count > 0)
        {
            console.WriteLine();
        }
        console.MarkupLineInterpolated($"[bold]{Summary(report)}[/]");
    }

    public static void Write(Signature signature, IAnsiConsole console)
    {
        Widen(console);
        console.MarkupLineInterpolated($"[bold]{signature.Id}[/]  {signature.Title}  [grey]{signature.Component}, {Word(signature.Severity)}[/]");
        Row(console, "why", signature.Cause);
        Row(console, "fix", signature.Fix);
        Rules(signature, console);
        foreach (var need in signature.Needs)
        {
            Row(console, "be sure", $"{need.What}: {need.Command}");
        }
        Row(console, "sources", string.Join(", ", signature.Sources));
    }

    public static string Word(SignatureSeverity severity) => severity switch
    {
        SignatureSeverity.Silent => "wrong or unsafe in silence",
        SignatureSeverity.Failure => "failure",
        SignatureSeverity.Degraded => "degraded",
        _ => "hint",
    };

    /// <summary>In a pipe or a file nothing wraps, so that lines can be searched and commands copied.</summary>
    private static void Widen(IAnsiConsole console)
    {
        if (!console.Profile.Capabilities.Ansi)
        {
            console.Profile.Width = NeverWrapColumns;
        }
    }

    private static void Write(DiagnosedCause cause, int number, IAnsiConsole console)
    {
        var signature = cause.Signature;
        console.MarkupInterpolated($"[bold]{number}[/]  ");
        console.Markup(signature.Severity switch
        {
            SignatureSeverity.Silent => "[bold red]silent[/]",
            SignatureSeverity.Failure => "[red]failure[/]",
            SignatureSeverity.Degraded => "[yellow]degraded[/]",
            _ => "[grey]hint[/]",
        });
        console.MarkupLineInterpolated($"  [bold]{signature.Title}[/]  [grey]{signature.Id} {signature.Component}[/]");
        foreach (var sighting in cause.Sightings.Take(SightingsShown))
        {
            Row(console, "seen", Place(sighting));
            foreach (var line in sighting.Evidence.Take(EvidenceShown))
            {
                console.MarkupLineInterpolated($"            [grey]{line}[/]");
            }
        }
        if (cause.Sightings.Count > SightingsShown)
        {
            Row(console, "", $"and in {cause.Sightings.Count - SightingsShown} further inputs; --json lists all");
        }
        Row(console, "why", signature.Cause);
        Row(console, "fix", signature.Fix);
        Rules(signature, console);
        foreach (var consequence in cause.Consequences)
        {
            Row(console, "explains", $"{consequence.Signature.Title} ({consequence.Count}×, {consequence.Signature.Id})");
        }
        foreach (var present in cause.Present)
        {
            Row(console, "sure by", present.What);
        }
        foreach (var missing in cause.Missing)
        {
            Row(console, "missing", $"{missing.What}: {missing.Command}");
        }
        Row(console, "sources", string.Join(", ", signature.Sources));
    }

    private static void Rules(Signature signature, IAnsiConsole console)
    {
        if (signature.LintRules.Count > 0)
        {
            Row(console, "lint", $"{string.Join(", ", signature.LintRules)} (ferry lint --explain {signature.LintRules[0]})");
        }
    }

    private static string Place(Sighting sighting)
    {
        if (sighting.FirstLine == 0)
        {
            return sighting.Input;
        }
        var times = sighting.FirstTime is null ? "" : sighting.LastTime is null || sighting.LastTime == sighting.FirstTime ? $", {sighting.FirstTime}" : $", {sighting.FirstTime} to {sighting.LastTime}";
        return $"{sighting.Input}:{sighting.FirstLine}{(sighting.Count > 1 ? $" and {sighting.Count - 1} more up to line {sighting.LastLine}" : "")}{times}";
    }

    private static void Row(IAnsiConsole console, string name, string text) => console.MarkupLineInterpolated($"   [bold]{name,-8}[/] {text}");

    private static string Summary(DiagnosisReport report)
    {
        var lines = report.Inputs.Sum(input => input.Lines);
        var read = $"{report.Inputs.Count} input{(report.Inputs.Count == 1 ? "" : "s")}, {lines} lines{Speakers(report)}";
        return report.Causes.Count == 0
            ? $"Nothing known is wrong in {read}."
            : $"{report.Causes.Count} cause{(report.Causes.Count == 1 ? "" : "s")} in {read}.";
    }

    private static string Speakers(DiagnosisReport report)
    {
        string[] voices = [.. report.Inputs.SelectMany(input => input.Voices).Distinct().Order(StringComparer.Ordinal)];
        return voices.Length == 0 ? "" : $" (heard: {string.Join(", ", voices)})";
    }
}
