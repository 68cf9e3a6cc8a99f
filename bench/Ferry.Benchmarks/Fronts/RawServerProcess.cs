using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Ferry.Kv.Sockets;

namespace Ferry.Benchmarks.Fronts;

/// <summary>The limit: a process that moves bytes between its memory and a socket and does nothing else. A thread a connection, blocking calls. Ends when its input does.</summary>
internal static class RawServerProcess
{
    public const int QuestionBytes = 16;

    private const int MemoryBytes = 256 << 20; // Larger than any last-level cache here: every byte is cold, as a cache's are.
    private const int CallBytes = 1 << 20;

    public static void Run(string[] args)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Console.WriteLine($"ready {((IPEndPoint)listener.LocalEndPoint!).Port} 0");
        new Thread(() => Accept(listener)) { IsBackground = true }.Start();
        Console.In.ReadToEnd();
    }

    private static void Accept(Socket listener)
    {
        var memory = new byte[MemoryBytes];
        memory.AsSpan().Fill(0x5A);
        while (true)
        {
            var socket = listener.Accept();
            socket.Tune();
            new Thread(() => Serve(socket, memory)) { IsBackground = true }.Start();
        }
    }

    private static void Serve(Socket socket, byte[] memory)
    {
        Span<byte> question = stackalloc byte[QuestionBytes];
        while (Receive(socket, question))
        {
            var byteCount = BinaryPrimitives.ReadInt32LittleEndian(question[4..]);
            var place = memory.AsSpan(BinaryPrimitives.ReadInt32LittleEndian(question[8..]) % (MemoryBytes / byteCount) * byteCount, byteCount);
            if (BinaryPrimitives.ReadInt32LittleEndian(question) == 0)
            {
                socket.Send(place);
            }
            else if (Receive(socket, place))
            {
                socket.Send(question[..1]);
            }
        }
        socket.Dispose();
    }

    private static bool Receive(Socket socket, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            var count = socket.Receive(target[..Math.Min(target.Length, CallBytes)]);
            if (count == 0)
            {
                return false;
            }
            target = target[count..];
        }
        return true;
    }
}
