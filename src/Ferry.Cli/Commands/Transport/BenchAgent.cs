using Ferry.Transfer;
using Ferry.Transfer.Media;
using Ferry.Transfer.Tcp;

namespace Ferry.Cli.Commands.Transport;

/// <summary>Agents that measure.</summary>
internal static class BenchAgent
{
    /// <summary>An agent that moves bytes by one medium and by no other. It listens on loopback, where nobody but this host could come.</summary>
    /// <exception cref="TransferConfigurationException">The medium cannot be had here.</exception>
    public static async Task<TcpTransferAgent> StartAsync(BenchMedium medium, int streams, NodeCredentials credentials, CancellationToken cancellationToken) =>
        await TcpTransferAgent.StartAsync(
            new TcpAgentOptions
            {
                EngineId = $"ferry-transport-{Environment.ProcessId}",
                Host = "127.0.0.1",
                Port = 0,
                SharedSecret = credentials.Secret,
                Tls = credentials.Tls,
                StreamsPerPeer = streams,
                Media = medium.Medium is null ? [] : [await medium.Medium()],
                AllowBytesOverTcp = medium.Medium is null,
                ProbeBytes = 0,
            },
            cancellationToken);

    /// <summary>An agent that lends memory to whoever measures, by TCP and every medium named that can be had; of others it says why not.</summary>
    public static async Task<TcpTransferAgent> ServeAsync(
        IEnumerable<BenchMedium> media, string host, int port, long bytes, NodeCredentials credentials, TextWriter output, CancellationToken cancellationToken)
    {
        var started = new List<DataMedium>();
        foreach (var medium in media.Where(one => one.Medium is not null))
        {
            try
            {
                var one = await medium.Medium!();
                if (started.TrueForAll(other => other.Name != one.Name))
                {
                    started.Add(one);
                }
                else
                {
                    await one.DisposeAsync();
                }
            }
            catch (TransferConfigurationException exception)
            {
                await output.WriteLineAsync($"not by {medium.Name}: {exception.Message}");
            }
        }
        return await TcpTransferAgent.StartAsync(
            new TcpAgentOptions
            {
                EngineId = $"ferry-transport-{Environment.ProcessId}",
                Host = host,
                Port = port,
                SharedSecret = credentials.Secret,
                Tls = credentials.Tls,
                Media = started,
                ProbeBytes = bytes,
            },
            cancellationToken);
    }
}
