using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ferry.Cluster.Diagnosis;

namespace Ferry.Benchmarks;

/// <summary>How fast <c>ferry diagnose</c> reads a log, and what memory it needs: docs/measurements/diagnose.md.</summary>
/// <remarks>The log is a file on disk, made of vLLM, LMCache and UCX lines; read once before, so that the page cache and not the disk is measured. Rounds alternate between the kinds.</remarks>
internal static class DiagnoseBenchmark
{
    private const int Rounds = 5;

    private static readonly string[] Quiet =
    [
        "(APIServer pid=1) INFO 10-16 17:24:31 [loggers.py:127] Engine 000: Avg prompt throughput: 812.4 tokens/s, Avg generation throughput: 41.0 tokens/s, Running: 12 reqs, Waiting: 0 reqs, GPU KV cache usage: 22.1%, Prefix cache hit rate: 31.0%",
        "(APIServer pid=1) INFO:     10.0.0.9:40112 - \"POST /v1/completions HTTP/1.1\" 200 OK",
        "[2026-02-10 10:51:22,498] LMCache INFO: Storing KV cache for 3135 out of 3135 tokens (skip_leading_tokens=0) for request cmpl-81 (vllm_v1_adapter.py:761:lmcache.integration.vllm.vllm_v1_adapter)",
        "(APIServer pid=428) INFO 07-13 16:33:58 [metrics.py:103] KV Transfer metrics: Num successful transfers=1, Avg xfer time (ms)=3.056, P90 xfer time (ms)=3.056, Avg MB per transfer=14.0, Throughput (MB/s)=4581.152, Avg number of descriptors=56.0",
    ];

    private const string Trouble = "(EngineCore_DP0 pid=3747544) WARNING 09-24 16:35:21 [nixl_connector.py:1048] Releasing expired KV blocks for request cmpl-3da205a6-1c3c-41b5-aeaa-b8421e81fd5c-0 which were retrieved by 0 decode worker(s) within 120 seconds.";

    /// <param name="options">Megabytes of log; 100 when left out.</param>
    public static void Run(string[] options)
    {
        var bytes = (options.Length > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 100) * 1_000_000L;
        var directory = Directory.CreateTempSubdirectory("ferry-diagnose-").FullName;
        try
        {
            (string Kind, Func<int, string> Line)[] kinds =
            [
                ("a trouble in 10,000 lines", line => line % 10_000 == 0 ? Trouble : Quiet[line % Quiet.Length]),
                ("a trouble in 10 lines", line => line % 10 == 0 ? Trouble : Quiet[line % Quiet.Length]),
                ("coloured, a trouble in 100", line => $"\u001B[32m{(line % 100 == 0 ? Trouble : Quiet[line % Quiet.Length])}\u001B[0m"),
                ("every line a trouble", _ => Trouble),
            ];
            string[] files = [.. kinds.Select((kind, at) => Write(Path.Combine(directory, $"{at}.log"), bytes, kind.Line))];
            var best = new double[kinds.Length];
            Array.Fill(best, double.MaxValue);
            var (sightings, memory, raw) = (new long[kinds.Length], new long[kinds.Length], double.MaxValue);
            for (var round = 0; round < Rounds; round++)
            {
                raw = Math.Min(raw, Seconds(() => ReadRaw(files[0])));
                for (var at = 0; at < kinds.Length; at++)
                {
                    best[at] = Math.Min(best[at], Seconds(() => (sightings[at], memory[at]) = Diagnose(files[at])));
                }
            }
            Console.WriteLine($"{bytes / 1e6:0} MB, best of {Rounds}; reading and decoding alone: {raw:0.00} s ({bytes / 1e6 / raw:0} MB/s)");
            Console.WriteLine("| log | s | MB/s | sightings | live memory after, MB |");
            Console.WriteLine("|---|---|---|---|---|");
            for (var at = 0; at < kinds.Length; at++)
            {
                Console.WriteLine($"| {kinds[at].Kind} | {best[at]:0.00} | {bytes / 1e6 / best[at]:0} | {sightings[at]} | {memory[at] / 1e6:0.0} |");
            }
            Console.WriteLine($"peak working set: {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static (long Sightings, long LiveBytes) Diagnose(string file)
    {
        var diagnoser = new Diagnoser();
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        diagnoser.ReadLogAsync(file, stream, CancellationToken.None).GetAwaiter().GetResult();
        var report = diagnoser.Report();
        return (report.Causes.Sum(cause => cause.Count), GC.GetTotalMemory(forceFullCollection: false));
    }

    /// <summary>What no reader can do without: bytes from the page cache, decoded.</summary>
    private static void ReadRaw(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        using var reader = new StreamReader(stream, Encoding.UTF8, false, 128 << 10);
        var buffer = new char[256 << 10];
        while (reader.Read(buffer) > 0)
        {
        }
    }

    private static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string Write(string file, long bytes, Func<int, string> line)
    {
        using var writer = new StreamWriter(file, false, new UTF8Encoding(false), 1 << 20);
        for (var (number, written) = (0, 0L); written < bytes; number++)
        {
            var text = line(number);
            writer.Write(text);
            writer.Write('\n');
            written += text.Length + 1;
        }
        return file;
    }
}
