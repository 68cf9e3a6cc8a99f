using System.Net;
using System.Net.Sockets;

namespace Ferry.Benchmarks.Fronts;

/// <summary>One client connection of the load: blocking calls, no copy that the protocol does not ask for. The same for every server.</summary>
internal abstract class LoadConnection : IDisposable
{
    private const int CallBytes = 1 << 20;

    protected LoadConnection(int port, int valueBytes)
    {
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(IPAddress.Loopback, port);
        ValueBytes = valueBytes;
    }

    protected Socket Socket { get; }

    protected int ValueBytes { get; }

    /// <summary>Stores <paramref name="count"/> values from the key with this number on; returns when all are answered for.</summary>
    public abstract void Set(int key, int count);

    public abstract void Get(int key, int count);

    public void Dispose() => Socket.Dispose();

    protected void Receive(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            var count = Socket.Receive(target[..Math.Min(target.Length, CallBytes)]);
            if (count == 0)
            {
                throw new EndOfStreamException("The server closed the connection.");
            }
            target = target[count..];
        }
    }

    protected static void Require(bool isSo, string what)
    {
        if (!isSo)
        {
            throw new InvalidDataException($"The server answered something else than {what}.");
        }
    }
}
