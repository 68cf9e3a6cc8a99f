using System.Net;
using System.Net.Sockets;
using Ferry.Kv.Sockets;

namespace Ferry.Transfer.Probe;

/// <summary>Both ends of a TCP connection over loopback, tuned as every socket that carries KV is. The caller disposes both.</summary>
public static class LoopbackPair
{
    public static (Socket Sender, Socket Receiver) Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        receiver.Tune();
        receiver.Connect(listener.LocalEndPoint!);
        var sender = listener.Accept();
        sender.Tune();
        return (sender, receiver);
    }
}
