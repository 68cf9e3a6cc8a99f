using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Router.Discovery;

/// <summary>Every address of a host is a node (a headless service, for one).</summary>
/// <param name="target">host:port.</param>
/// <param name="resolve">Null: the system's resolver.</param>
internal sealed class DnsNodeSource(
    string target, NodeRole role, Func<TimeSpan> interval, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) : INodeSource
{
    private const int MaxAddresses = 1024;

    public string Name => $"DNS {target} ({role})";

    public async Task<TimeSpan> LookAsync(Action<NodeLists> found, CancellationToken cancellationToken)
    {
        var colon = target.LastIndexOf(':');
        var (host, port) = (target[..colon], int.Parse(target.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        IPAddress[] addresses;
        try
        {
            addresses = await (resolve ?? Dns.GetHostAddressesAsync)(host, cancellationToken);
        }
        catch (SocketException exception)
        {
            throw new NodeSourceException($"{host}: {exception.Message}");
        }
        // An empty answer is more often a fault of the resolver than a fleet that has gone.
        if (addresses.Length == 0) { throw new NodeSourceException($"{host} has no addresses"); }
        NodeSpec[] nodes = [.. addresses.Take(MaxAddresses).Select(address => new NodeSpec(new Uri($"http://{new IPEndPoint(address, port)}")))];
        found(role == NodeRole.Prefill ? new NodeLists(nodes, []) : new NodeLists([], nodes));
        return interval();
    }
}
