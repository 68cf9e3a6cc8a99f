using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using Ferry.Cli.Up;
using Ferry.Transfer;
using Ferry.Transfer.Ucx;

namespace Ferry.Benchmarks.Ucx;

/// <summary>One run of ucx_perftest, a server and a client of it on this host.</summary>
internal static class Perftest
{
    /// <summary>Of the release that Ferry loads: beside the library that was named, or the system's.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable(UcxLibrary.PathVariable) is { Length: > 0 } library
        ? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(library)!, "..", "bin", "ucx_perftest"))
        : "/usr/bin/ucx_perftest";

    /// <summary>Operations before those that count.</summary>
    public static int WarmUps(int count) => Math.Max(2, count / 20);

    /// <summary>Its "overall" bandwidth, in GB/s.</summary>
    public static async Task<double> RunAsync(TransferDirection direction, long bytes, int inFlight, int count, string transports)
    {
        var port = LoopbackPorts.FindFree();
        using var server = Start(Cores.Server, transports, ["-p", $"{port}"]);
        _ = server.StandardOutput.ReadToEndAsync();
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(one => one.Port == port))
        {
            await Task.Delay(5);
        }
        using var client = Start(Cores.Client, transports,
        [
            "127.0.0.1", "-p", $"{port}", "-t", direction == TransferDirection.Read ? "ucp_get" : "ucp_put_bw", "-s", $"{bytes}", "-n", $"{count}",
            "-w", $"{WarmUps(count)}", "-O", $"{inFlight}", "-e", "-z", "-f", "-v",
        ]);
        var output = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        if (!server.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            server.Kill();
        }
        // iterations, median and average and overall latency, average and overall MiB/s, average and overall rate
        var numbers = output.Split('\n').Select(line => line.Trim().Split(',')).LastOrDefault(words => words.Length >= 8 && double.TryParse(words[5], CultureInfo.InvariantCulture, out _));
        return numbers is null
            ? throw new InvalidOperationException($"ucx_perftest ended with {client.ExitCode}: {output}")
            : double.Parse(numbers[5], CultureInfo.InvariantCulture) * (1 << 20) / 1e9;
    }

    private static Process Start(int core, string transports, string[] arguments)
    {
        var start = new ProcessStartInfo("taskset", ["-c", $"{core}", Program, .. arguments]) { RedirectStandardOutput = true };
        start.Environment["UCX_TLS"] = transports;
        foreach (var (name, value) in UcxEnvironment.Values)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }
}
