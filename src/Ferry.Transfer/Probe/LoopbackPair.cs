using System.Net;
using System.Net.Sockets;
using Ferry.Kv.Sockets;

namespace Ferry.Transfer.Probe;

/// <summary>Both ends of a TCP connection over loopback, tuned as every socket that carries KV is. Owns both.</summary>
public sealed record LoopbackPair(Socket Sender, Socket Receiver) : IDisposable
{
    public static LoopbackPair Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        receiver.Tune();
        receiver.Connect(listener.LocalEndPoint!);
        var sender = listener.Accept();
        sender.Tune();
        return new LoopbackPair(sender, receiver);
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }
}
