using System.Net;
using System.Net.Sockets;

namespace Ferry.Cli.Up;

/// <summary>Hands out loopback ports: the usual one where it is free, else any free one.</summary>
/// <remarks>All ports stay bound until <see cref="Release"/>, so that one cluster never gets a port twice.</remarks>
internal sealed class LoopbackPorts : IDisposable
{
    private readonly List<Socket> _held = [];

    /// <param name="preferred">The port people know, or 0 for any.</param>
    public int Take(int preferred) => TryHold(preferred) ?? TryHold(0)
        ?? throw new IOException("No free port on 127.0.0.1.");

    /// <summary>Frees the ports; start the processes at once.</summary>
    public void Release()
    {
        _held.ForEach(socket => socket.Dispose());
        _held.Clear();
    }

    public void Dispose() => Release();

    private int? TryHold(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
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
