using Ferry.Kv.Text;
using Ferry.Transfer;

namespace Ferry.Cli.Commands.Transport;

/// <summary><c>ferry transport bench --listen</c>: lends memory until it is stopped.</summary>
internal static class BenchServer
{
    /// <summary>Begins the line that tells where; programs read it.</summary>
    public const string Announcement = "lending at ";

    public static async Task<int> RunAsync(IReadOnlyList<BenchMedium> media, string listen, long bytes, NodeCredentials credentials, bool stopsOnStdinClose, TextWriter output, CancellationToken cancellationToken)
    {
        var colon = listen.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(listen.AsSpan(colon + 1), out var port) || port is < 0 or > 65_535)
        {
            throw new UsageException($"--listen is '{listen}'; write HOST:PORT, for example 10.0.0.1:5600. The host is this node's own address.");
        }
        try
        {
            await using var agent = await BenchAgent.ServeAsync(media, listen[..colon].Trim('[', ']'), port, bytes, credentials, output, cancellationToken);
            await output.WriteLineAsync($"{Announcement}{agent.Endpoint} up to {ByteSize.Format(bytes)}; on the other host: ferry transport bench --peer {agent.Endpoint}");
            await output.FlushAsync(cancellationToken);
            await StopSignal.WaitAsync(stopsOnStdinClose, cancellationToken);
            return FerryCommandLine.Done;
        }
        catch (TransferConfigurationException exception)
        {
            throw new UsageException(exception.Message);
        }
    }
}
