using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Ferry.Cli.Up;

/// <summary>Hands out loopback ports: the usual one where it is free, else any free one.</summary>
/// <remarks>
/// All ports stay bound until <see cref="Release"/>, so that one cluster never gets a port twice. Any other port lies outside the range from which the system gives connections
/// theirs: else one of those could take it before the process that it is for has started.
/// </remarks>
internal sealed class LoopbackPorts : IDisposable
{
    private const int FirstPort = 20_000;
    private const int Tries = 100;
    private const string RangeFile = "/proc/sys/net/ipv4/ip_local_port_range";

    private readonly List<Socket> _held = [];

    /// <param name="preferred">The port people know, or 0 for any.</param>
    public int Take(int preferred) => (preferred == 0 ? null : TryHold(preferred)) ?? TryHoldApart() ?? TryHold(0)
        ?? throw new IOException("No free port on 127.0.0.1.");

    /// <summary>One port that is free now, and no connection gets.</summary>
    public static int FindFree()
    {
        using var ports = new LoopbackPorts();
        return ports.Take(0);
    }

    /// <summary>Frees the ports; start the processes at once.</summary>
    public void Release()
    {
        _held.ForEach(socket => socket.Dispose());
        _held.Clear();
    }

    public void Dispose() => Release();

    /// <summary>The first of the ports that the system gives to connections.</summary>
    internal static int FirstOfConnections()
    {
        try
        {
            return int.Parse(File.ReadAllText(RangeFile).Split()[0], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return 32_768; // Linux's default; others begin at 49152.
        }
    }

    private int? TryHoldApart()
    {
        var end = FirstOfConnections();
        for (var count = 0; count < Tries && end > FirstPort; count++)
        {
            if (TryHold(RandomNumberGenerator.GetInt32(FirstPort, end)) is { } port)
            {
                return port;
            }
        }
        return null;
    }

    private int? TryHold(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1); // Linux binds one port to two sockets of this runtime as long as neither listens.
            _held.Add(socket);
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
