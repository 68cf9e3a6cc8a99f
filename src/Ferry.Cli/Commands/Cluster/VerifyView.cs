using System.Globalization;
using Ferry.Cluster.Verification;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>The table that fills while probes run, and the report behind it.</summary>
/// <param name="isQuiet">Nothing is drawn while they run.</param>
internal sealed class VerifyView(IAnsiConsole console, bool isQuiet)
{
    private const int RunningShown = 6;

    /// <summary>Columns of the live table that its last one leaves to the others.</summary>
    private const int BesideTrouble = 56;

    private readonly Lock _lock = new();
    private readonly List<ProbeResult> _done = [];
    private readonly List<(string Probe, string Target)> _running = [];

    /// <summary>Draws on a terminal while the probes run; elsewhere it draws nothing.</summary>
    public async Task<VerifyReport> RunAsync(Func<IProgress<ProbeEvent>, Task<VerifyReport>> run)
    {
        if (isQuiet || !console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            return await run(new Progress(_ => { }));
        }
        return await console.Live(Table()).AutoClear(true).StartAsync(async live => await run(new Progress(happened =>
        {
            lock (_lock)
            {
                Take(happened);
                live.UpdateTarget(Table());
                live.Refresh();
            }
        })));
    }

    public void Write(VerifyReport report)
    {
        var isTerminal = console.Profile.Capabilities.Ansi;
        if (!isTerminal)
        {
            console.Profile.Width = 4096;   // A pipe or file: nothing wraps, so that lines can be searched.
        }
        foreach (var probe in report.Results.GroupBy(result => (result.Probe, result.Title)))
        {
            console.MarkupLineInterpolated($"[bold]{probe.Key.Probe}[/]  [grey]{probe.Key.Title}[/]");
            // On a terminal a long text goes on under its own beginning.
            var rows = new Grid().AddColumn(new GridColumn().PadLeft(2).PadRight(2).NoWrap()).AddColumn(new GridColumn().PadRight(0));
            foreach (var result in probe)
            {
                var text = string.Create(CultureInfo.InvariantCulture, $"[bold]{Markup.Escape(result.Target)}[/]  {Markup.Escape(result.Text)}  [grey]{Time(result.Elapsed)}[/]");
                var fix = result.Fix.Length > 0 && result.Verdict != ProbeVerdict.Pass ? $"[grey]→ {Markup.Escape(result.Fix)}[/]" : null;
                if (isTerminal)
                {
                    rows.AddRow(Word(result.Verdict), fix is null ? text : $"{text}\n{fix}");
                    continue;
                }
                console.MarkupLine($"  {Word(result.Verdict)}  {text}");
                if (fix is not null) { console.MarkupLine($"                {fix}"); }
            }
            if (isTerminal) { console.Write(rows); }
        }
        console.WriteLine();
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]{report.Count(ProbeVerdict.Pass)} passed, {report.Count(ProbeVerdict.Violation)} violations, {report.Count(ProbeVerdict.Inconclusive)} inconclusive, {report.Count(ProbeVerdict.Unsupported)} unsupported.[/] {Sentence(report)}");
    }

    private static string Sentence(VerifyReport report) => report.Verdict switch
    {
        ProbeVerdict.Pass => "All that was probed is so.",
        ProbeVerdict.Violation => "The cluster is not what ferry.yaml says.",
        ProbeVerdict.Inconclusive => "What could not be found out has not passed.",
        _ => "What cannot be probed this way has not passed.",
    };

    private void Take(ProbeEvent happened)
    {
        if (happened.Result is { } result)
        {
            _running.Remove((happened.Probe, happened.Target));
            _done.Add(result);
        }
        else
        {
            _running.Add((happened.Probe, happened.Target));
        }
    }

    private Table Table()
    {
        var table = new Table().RoundedBorder().BorderColor(Color.Grey).AddColumns("probe", "so far", "running, or the first that has not passed");
        table.Caption(string.Create(CultureInfo.InvariantCulture, $"{_done.Count} done, {_running.Count} running"));
        var names = Verifier.Probes.Select(probe => probe.Id).Where(id => _done.Any(result => result.Probe == id) || _running.Any(run => run.Probe == id));
        foreach (var id in names)
        {
            var running = _running.Where(run => run.Probe == id).Select(run => Markup.Escape(run.Target)).ToList();
            var counts = Enum.GetValues<ProbeVerdict>().Select(verdict => (Word: Word(verdict), Count: _done.Count(result => result.Probe == id && result.Verdict == verdict))).Where(entry => entry.Count > 0);
            table.AddRow(
                $"[bold]{id}[/]", string.Join(", ", counts.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Count} {entry.Word.Replace(" ", "", StringComparison.Ordinal)}"))),
                running.Count > 0 ? $"[grey]{string.Join(", ", running.Take(RunningShown))}{(running.Count > RunningShown ? " …" : "")}[/]" : Trouble(id));
        }
        return table;
    }

    /// <summary>One line, so that the table does not grow and shrink.</summary>
    private string Trouble(string id)
    {
        if (_done.FirstOrDefault(result => result.Probe == id && result.Verdict != ProbeVerdict.Pass) is not { } first) { return ""; }
        var text = $"{first.Target}: {first.Text}";
        var room = Math.Max(20, console.Profile.Width - BesideTrouble);
        return Markup.Escape(text.Length <= room ? text : text[..(room - 1)] + "…");
    }

    private static string Word(ProbeVerdict verdict) => verdict switch
    {
        ProbeVerdict.Pass => "[green]pass        [/]",
        ProbeVerdict.Violation => "[red]violation   [/]",
        ProbeVerdict.Inconclusive => "[yellow]inconclusive[/]",
        _ => "[grey]unsupported [/]",
    };

    private static string Time(TimeSpan elapsed) => elapsed.TotalSeconds >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0.0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalMilliseconds:0} ms");

    /// <summary>At once and on the caller's thread; the framework's own hands over to a pool and loses the order.</summary>
    private sealed class Progress(Action<ProbeEvent> report) : IProgress<ProbeEvent>
    {
        public void Report(ProbeEvent value) => report(value);
    }
}
