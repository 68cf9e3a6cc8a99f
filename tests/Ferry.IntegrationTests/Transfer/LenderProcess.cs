using System.Diagnostics;
using System.Runtime.InteropServices;
using Ferry.Cli.Up;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>A real <c>ferry</c> process that lends memory to be measured with, so that it can be killed and stopped.</summary>
internal sealed partial class LenderProcess : IAsyncDisposable
{
    private const int SignalStop = 19;
    private const int SignalContinue = 18;

    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(120); // Many start at once on two cores.

    private readonly NodeProcess _process;

    private LenderProcess(NodeProcess process, string endpoint) => (_process, Endpoint) = (process, endpoint);

    public string Endpoint { get; }

    public string Tail => _process.Tail;

    public static async Task<LenderProcess> StartAsync(long lendBytes)
    {
        var process = NodeProcess.Start(
            new NodeSpec("lender", "", new Uri("http://127.0.0.1"),
                ["transport", "bench", "--listen", "127.0.0.1:0", "--media", "tcp,shm,ucx", "--lend", lendBytes.ToString(), "--stop-on-stdin-close"], new Dictionary<string, string>()),
            logFile: null);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (process.Tail.Split('\n').FirstOrDefault(line => line.StartsWith("lending at ", StringComparison.Ordinal)) is { } line)
            {
                return new LenderProcess(process, line.Split(' ')[2]);
            }
            if (process.HasExited || clock.Elapsed > ReadyDeadline)
            {
                var tail = process.Tail;
                await process.DisposeAsync();
                Assert.Fail($"The lender did not become ready:{Environment.NewLine}{tail}");
            }
            await Task.Delay(30);
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill() => _process.Kill();

    public void Stop() => Assert.Equal(0, Send(_process.ProcessId, SignalStop));

    public void Continue() => Assert.Equal(0, Send(_process.ProcessId, SignalContinue));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Send(_process.ProcessId, SignalContinue); // one that was killed may be gone by now
        }
        await _process.DisposeAsync();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int processId, int signal);
}
