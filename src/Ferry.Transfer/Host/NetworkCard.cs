using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Ferry.Transfer.Host;

/// <summary>One network interface.</summary>
/// <param name="Mtu">Bytes of a packet.</param>
/// <param name="Megabits">Per second, as the driver says; null where it says nothing (virtual ones).</param>
/// <param name="IsUp">Has a carrier; loopback counts as up.</param>
/// <param name="IsLoopback">The host's own.</param>
/// <param name="Addresses">IPv4 first.</param>
public sealed record NetworkCard(string Name, long Mtu, long? Megabits, bool IsUp, bool IsLoopback, IReadOnlyList<string> Addresses)
{
    // linux/if_arp.h
    private const long LoopbackType = 772;

    /// <summary>All interfaces of this network namespace.</summary>
    public static IReadOnlyList<NetworkCard> Read(HostFiles files)
    {
        var addresses = AddressesByName();
        return [.. files.Names("/sys/class/net").Where(name => files.Exists($"/sys/class/net/{name}/mtu")).Select(name => new NetworkCard(
            name,
            files.TryReadNumber($"/sys/class/net/{name}/mtu") ?? 0,
            files.TryReadNumber($"/sys/class/net/{name}/speed") is > 0 and var speed ? speed : null,
            files.TryRead($"/sys/class/net/{name}/operstate") is "up" or "unknown",
            files.TryReadNumber($"/sys/class/net/{name}/type") == LoopbackType,
            addresses.GetValueOrDefault(name) ?? []))];
    }

    private static Dictionary<string, string[]> AddressesByName()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces().ToDictionary(one => one.Name, one => one.GetIPProperties().UnicastAddresses
                .Select(address => address.Address)
                .Where(address => !address.IsIPv6LinkLocal)
                .OrderBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
                .Select(address => address.ToString()).ToArray(), StringComparer.Ordinal);
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
