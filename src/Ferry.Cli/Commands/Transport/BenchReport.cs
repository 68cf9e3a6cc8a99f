using System.Globalization;
using System.Text.Json;
using Ferry.Kv.Text;
using Ferry.Transfer;
using Spectre.Console;

namespace Ferry.Cli.Commands.Transport;

/// <summary>Runs a measurement with live progress and writes what it gave.</summary>
internal static class BenchReport
{
    private const int PlainWidth = 120;

    public static async Task<int> RunAsync(BenchQuestion question, bool asJson, bool withChart, TextWriter output, CancellationToken cancellationToken)
    {
        var rows = await MeasureAsync(question, asJson ? TextWriter.Null : output, cancellationToken);
        if (asJson)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(rows, JsonOutput.Format));
        }
        else
        {
            Write(question, rows, withChart, output);
        }
        return rows.All(row => row.Failure is null) ? FerryCommandLine.Done : FerryCommandLine.Failed;
    }

    private static async Task<IReadOnlyList<BenchRow>> MeasureAsync(BenchQuestion question, TextWriter output, CancellationToken cancellationToken)
    {
        try
        {
            var console = TerminalConsole.Create(output);
            if (!console.Profile.Capabilities.Interactive)
            {
                return await new BenchRun(question, static (_, _, _) => { }).RunAsync(cancellationToken);
            }
            IReadOnlyList<BenchRow> rows = [];
            await console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn()).StartAsync(async context =>
            {
                var task = context.AddTask("starting", maxValue: question.CellCount);
                rows = await new BenchRun(question, (title, cell, moved) =>
                {
                    task.Description = $"{cell} of {question.CellCount}: {Markup.Escape(title)}, {ByteSize.Format(moved)}";
                    task.Value = cell - 0.5;
                }).RunAsync(cancellationToken);
                task.Value = question.CellCount;
            });
            return rows;
        }
        catch (Exception exception) when (exception is TransferConfigurationException or InsufficientMemoryException)
        {
            throw new UsageException(exception.Message);
        }
    }

    private static void Write(BenchQuestion question, IReadOnlyList<BenchRow> rows, bool withChart, TextWriter output)
    {
        var console = TerminalConsole.Create(output);
        if (!console.Profile.Capabilities.Interactive)
        {
            console.Profile.Width = PlainWidth; // A file or a pipe has no width to fit into.
        }
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn(new TableColumn("transfer").NoWrap());
        foreach (var name in new[] { "GB/s", "limit", "of limit", "CPU-s/GB", "p50 µs", "p99 µs" })
        {
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        }
        foreach (var row in rows.Where(row => row.Failure is null))
        {
            table.AddRow(
                Title(row, question), Text(row.GigabytesPerSecond, "0.00"),
                row.LimitGigabytesPerSecond is { } limit ? Text(limit, "0.00") : "-", row.OfLimit is { } share ? Text(share * 100, "0") + " %" : "-",
                Text(row.CpuSecondsPerGigabyte, "0.00"), Text(row.P50Microseconds, "0"), Text(row.P99Microseconds, "0"));
        }
        if (table.Rows.Count > 0)
        {
            console.Write(table);
            output.WriteLine(question.Peer is null
                ? $"×: in flight. {string.Join(", ", question.Streams)} streams. GB = 10⁹ bytes; CPU of both ends. The limit, in the same run: of tcp raw sockets over loopback, of shared memory plain copies by as many threads as streams."
                : "×: in flight. GB = 10⁹ bytes; CPU of this end.");
        }
        foreach (var failure in rows.Where(row => row.Failure is not null).GroupBy(row => (row.Medium, row.Failure)))
        {
            output.WriteLine($"{failure.Key.Medium}: not measured ({failure.Count()} cells): {failure.Key.Failure}");
        }
        if (withChart && table.Rows.Count > 0)
        {
            var chart = new BarChart().Label("GB/s").LeftAlignLabel();
            foreach (var row in rows.Where(row => row.Failure is null))
            {
                chart.AddItem(Title(row, question), Math.Round(row.GigabytesPerSecond, 2), row.Medium == "tcp" ? Color.Blue : Color.Green);
            }
            console.Write(chart);
        }
    }

    private static string Title(BenchRow row, BenchQuestion question) =>
        $"{row.Medium} {row.Direction} {ByteSize.Format(row.Bytes)} ×{Text(row.Depth)}" + (question.Streams.Count > 1 ? $", {Text(row.Streams)} streams" : string.Empty);

    private static string Text(IFormattable value, string? format = null) => value.ToString(format, CultureInfo.InvariantCulture);
}
