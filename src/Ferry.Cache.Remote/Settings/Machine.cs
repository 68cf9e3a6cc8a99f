using System.Collections;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The machine that this process runs on.</summary>
public sealed class Machine : IMachine
{
    /// <summary>The process's environment.</summary>
    public static IReadOnlyDictionary<string, string> Environment() =>
        System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);

    public long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    public long? FreeDiskBytes(string path)
    {
        var existing = Path.GetFullPath(path);
        while (!System.IO.Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }
        try
        {
            return new DriveInfo(existing).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    public bool DirectoryExists(string path) => System.IO.Directory.Exists(path);

    public bool FileExists(string path) => File.Exists(path);

    public string? WhyNotLocal(string host)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(host, out var literal) ? [literal] : Dns.GetHostAddresses(host);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            return $"'{host}' cannot be resolved ({exception.Message})";
        }
        var own = OwnAddresses();
        return addresses.Any(address => IPAddress.IsLoopback(address) || IPAddress.Any.Equals(address) || IPAddress.IPv6Any.Equals(address) || own.Contains(address))
            ? null
            : $"{host} is no address of this machine (it has {string.Join(", ", own.Where(address => address.AddressFamily == AddressFamily.InterNetwork))})";
    }

    private static List<IPAddress> OwnAddresses()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(card => card.GetIPProperties().UnicastAddresses)
                .Select(entry => entry.Address)];
        }
        catch (NetworkInformationException)
        {
            return [IPAddress.Loopback];
        }
    }
}
