using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Transfer.Tcp;

/// <summary>Host and port as people write them: <c>10.0.0.1:5600</c>, <c>node-a:5600</c>, <c>[::1]:5600</c>.</summary>
public sealed record TcpEndpoint(string Host, int Port)
{
    /// <summary>Null unless it is a host and a port from 1 to 65535.</summary>
    public static TcpEndpoint? TryParse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
        {
            return null;
        }
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            return null; // an IPv6 address needs its brackets
        }
        return host.Length is 0 or > 255 ? null : new TcpEndpoint(host, port);
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>The host's addresses, IPv4 first as vLLM's side channel has them.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    internal static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            return [IPAddress.Loopback];
        }
        var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
        return [.. addresses.OrderBy(one => one.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)];
    }
}
