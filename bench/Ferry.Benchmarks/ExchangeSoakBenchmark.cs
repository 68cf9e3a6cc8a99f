using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cli.Up;
using Ferry.Kv.Text;
using Ferry.TestKit.Exchange;

namespace Ferry.Benchmarks;

/// <summary>A real <c>ferry cache</c> under a mixed load much larger than its memory, its resident memory watched: <c>exchange-soak [--minutes N]</c>.</summary>
internal static partial class ExchangeSoakBenchmark
{
    private const int Connections = 4;
    private const int Keys = 4000; // Some 4 GB of values: sixteen times the memory, twice the disk.

    public static void Run(string[] args)
    {
        var minutes = args is ["--minutes", var text] && double.TryParse(text, CultureInfo.InvariantCulture, out var given) ? given : 2;
        RunAsync(TimeSpan.FromMinutes(minutes)).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(TimeSpan duration)
    {
        var directory = Directory.CreateTempSubdirectory("ferry-soak-").FullName;
        try
        {
            var spec = new NodeSpec("exchange", "", new Uri("http://127.0.0.1"),
                ["cache", "--resp", "127.0.0.1:0", "--admin", "off", "--memory", "256MiB", "--disk", Path.Combine(directory, "disk"), "--disk-size", "2GiB", "--stop-on-stdin-close", "--log-level", "warning"],
                new Dictionary<string, string>());
            await using var exchange = NodeProcess.Start(spec, logFile: null);
            int? port = null;
            while ((port = Port(exchange.Tail)) is null)
            {
                if (exchange.HasExited)
                {
                    throw new InvalidOperationException(exchange.Tail);
                }
                await Task.Delay(20);
            }
            var report = await new SoakLoad(port.Value, exchange.ProcessId, Keys, seed: 1).RunAsync(duration, Connections, CancellationToken.None);
            Print(report);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Print(SoakReport report)
    {
        Console.WriteLine($"`ferry cache --memory 256MiB --disk-size 2GiB`, {Connections} RESP clients, {Keys} keys of 4 KiB to 4 MiB, {report.Duration.TotalMinutes:0.##} minutes:");
        Console.WriteLine();
        Console.WriteLine("| operations | in | out | hit ratio | wrong values | resident, by quarter of the time | last ÷ second quarter (bar ≤ 1.05) |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---|---:|");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {report.Operations} | {ByteSize.Format(report.BytesIn)} | {ByteSize.Format(report.BytesOut)} | {(double)report.Hits / Math.Max(1, report.Gets):0.00} | {report.Wrong} | {string.Join(", ", Enumerable.Range(0, 4).Select(quarter => ByteSize.Format(report.Highest(quarter))))} | {report.Growth:0.000} |"));
    }

    private static int? Port(string tail) => ReadyLine().Match(tail) is { Success: true } ready ? int.Parse(ready.Groups["port"].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"ready on redis://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex ReadyLine();
}
