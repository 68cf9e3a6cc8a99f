using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>Sends bytes that lie in several places by one call (sendmsg): headers of replies, records in the arena and what ends them leave together.</summary>
/// <remarks>Socket.Send takes lists of arrays only, and a record lies in native memory. A call for each part wakes the client as often: at 64 KiB three calls took 40 % of the rate.</remarks>
internal static unsafe partial class SocketGather
{
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL of Linux: a peer that has gone is an error, not a SIGPIPE.
    private const int Interrupted = 4; // EINTR
    private const int WouldBlock = 11; // EAGAIN

    /// <summary>Returns when all bytes are with the kernel.</summary>
    /// <param name="socket">Linux, blocking.</param>
    /// <param name="held">Values between the bytes of <paramref name="head"/>; as many as fit a call (IOV_MAX, 1024), and their holder sees to it.</param>
    /// <returns>Bytes sent.</returns>
    /// <exception cref="SocketException">The peer, the network or a shutdown ended the connection.</exception>
    /// <exception cref="ObjectDisposedException">The socket was given back.</exception>
    public static long Send(Socket socket, ReadOnlySpan<byte> head, ReadOnlySpan<HeldValue> held, ReadOnlySpan<byte> body, ReadOnlySpan<byte> tail)
    {
        // Pinned for the calls, as held values are by their holder; the kernel has copied the bytes when they return.
        fixed (byte* headStart = head, bodyStart = body, tailStart = tail)
        {
            var parts = stackalloc Part[(2 * held.Length) + 3];
            var (count, at, byteCount) = (0, 0, 0L);
            foreach (ref readonly var value in held)
            {
                Add(parts, ref count, headStart + at, value.At - at);
                Add(parts, ref count, (byte*)value.Pin.Pointer, value.ByteCount);
                at = value.At;
                byteCount += value.ByteCount;
            }
            Add(parts, ref count, headStart + at, head.Length - at);
            Add(parts, ref count, bodyStart, body.Length);
            Add(parts, ref count, tailStart, tail.Length);
            for (var index = 0; index < count;)
            {
                index = Drop(parts, index, SendOnce(socket, parts + index, count - index));
            }
            return byteCount + head.Length + body.Length + tail.Length;
        }
    }

    private static void Add(Part* parts, ref int count, byte* start, int byteCount)
    {
        if (byteCount > 0)
        {
            parts[count++] = new Part { Start = start, ByteCount = (nuint)byteCount };
        }
    }

    private static nuint SendOnce(Socket socket, Part* parts, int count)
    {
        var message = new Message { Parts = parts, PartCount = (nuint)count };
        while (true)
        {
            var sent = SendMessage(socket.SafeHandle, &message, NoSignal);
            if (sent >= 0)
            {
                return (nuint)sent;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case WouldBlock:
                    socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
                    break;
                default:
                    throw new SocketException((int)SocketError.ConnectionReset);
            }
        }
    }

    private static int Drop(Part* parts, int index, nuint byteCount)
    {
        while (byteCount > 0)
        {
            var here = Math.Min(byteCount, parts[index].ByteCount);
            parts[index].Start += here;
            parts[index].ByteCount -= here;
            byteCount -= here;
            index += parts[index].ByteCount == 0 ? 1 : 0;
        }
        return index;
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(SafeSocketHandle socket, Message* message, int flags);

    /// <summary>Linux's struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Start;
        public nuint ByteCount;
    }

    /// <summary>Linux's struct msghdr, 64 bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameBytes;
        public Part* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlBytes;
        public int Flags;
    }
}
