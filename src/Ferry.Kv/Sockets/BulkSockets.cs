using System.Net.Sockets;

namespace Ferry.Kv.Sockets;

/// <summary>What every socket that carries KV sets.</summary>
public static class BulkSockets
{
    private const int IpProtoTcp = 6;
    private const int TcpNotsentLowat = 25;

    /// <summary>Bytes that wait in the kernel beyond what is under way. More of them only make its queue outgrow the processors' caches, and both ends work from memory.</summary>
    private const int UnsentBytesMax = 1 << 20;

    /// <summary>Small messages leave at once, and at most 1 MiB waits unsent (Linux: TCP_NOTSENT_LOWAT). What is under way on a network is not bounded by it, and the kernel goes on tuning its buffers.</summary>
    /// <param name="socket">TCP.</param>
    public static void Tune(this Socket socket)
    {
        socket.NoDelay = true;
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(IpProtoTcp, TcpNotsentLowat, BitConverter.GetBytes(UnsentBytesMax));
        }
    }
}
