using System.Net;
using System.Net.NetworkInformation;

namespace Ferry.Transfer.Tcp;

/// <summary>The addresses of this machine, to tell an own one from a peer's.</summary>
internal static class OwnAddresses
{
    private const int DescribedMax = 8;

    /// <summary>Whether an address is this machine's, or stands for all of its.</summary>
    public static bool Contains(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            return true;
        }
        var all = All().ToArray();
        return all.Length == 0 || all.Any(own => Same(own.Address, address)); // Of a machine that tells none, the bind is the only judge.
    }

    /// <summary>True for a name that its user takes for an address of the network, and that the resolver takes for loopback.</summary>
    public static bool IsLoopbackUnawares(string host, IPAddress address) =>
        IPAddress.IsLoopback(address) && !IPAddress.TryParse(host, out _) && !string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>For people: addresses with their devices.</summary>
    public static string Describe()
    {
        var all = All().Select(own => $"{own.Address} on {own.Device}").ToArray();
        return all.Length == 0 ? "it has none" : string.Join(", ", all.Take(DescribedMax)) + (all.Length > DescribedMax ? $" and {all.Length - DescribedMax} more" : string.Empty);
    }

    private static bool Same(IPAddress own, IPAddress other) => own.GetAddressBytes().AsSpan().SequenceEqual(other.GetAddressBytes());

    private static IEnumerable<(IPAddress Address, string Device)> All()
    {
        NetworkInterface[] devices;
        try
        {
            devices = NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            return []; // A sandbox without /proc/net.
        }
        return devices.SelectMany(device => device.GetIPProperties().UnicastAddresses.Select(one => (one.Address, device.Name)));
    }
}
