using System.Globalization;
using Ferry.Cli.Up;

namespace Ferry.Cli.Commands.Transport;

/// <summary>A second process of this host that lends memory: what shared memory needs, and what makes the CPU of both ends countable.</summary>
internal sealed class BenchServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(30);

    private readonly NodeProcess _process;

    private BenchServerProcess(NodeProcess process, string endpoint) => (_process, Endpoint) = (process, endpoint);

    public string Endpoint { get; }

    public int ProcessId => _process.ProcessId;

    /// <exception cref="UsageException">It does not start; the message says what it printed.</exception>
    public static async Task<BenchServerProcess> StartAsync(IEnumerable<BenchMedium> media, long lendBytes, CancellationToken cancellationToken)
    {
        var process = NodeProcess.Start(
            new NodeSpec(
                "transport bench", string.Empty, new Uri("http://127.0.0.1"), // serves no HTTP
                ["transport", "bench", "--listen", "127.0.0.1:0", "--media", string.Join(',', media.Select(one => one.Name)), "--lend", lendBytes.ToString(CultureInfo.InvariantCulture), "--stop-on-stdin-close"],
                new Dictionary<string, string>()),
            logFile: null);
        try
        {
            using var patience = new CancellationTokenSource(StartWait);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
            while (!linked.IsCancellationRequested && !process.HasExited)
            {
                if (process.Tail.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith(BenchServer.Announcement, StringComparison.Ordinal)) is { } line)
                {
                    return new BenchServerProcess(process, line[BenchServer.Announcement.Length..].Split(' ')[0]);
                }
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, linked.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Told below.
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        var said = process.Tail;
        await process.DisposeAsync();
        cancellationToken.ThrowIfCancellationRequested();
        throw new UsageException($"the second process of the measurement did not start: {(said.Length == 0 ? "it said nothing" : said)}");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
