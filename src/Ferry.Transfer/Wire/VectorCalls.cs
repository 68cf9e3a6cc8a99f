using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.Wire;

/// <summary>Gathering sends and scattering receives from and into native memory, which .NET's sockets offer for managed arrays only.</summary>
internal static unsafe partial class VectorCalls
{
    /// <summary>Ranges of one call. UIO_MAXIOV is 1,024; at 64 are the gains of a longer list lost in the kernel's copying.</summary>
    public const int RangeCountMax = 64;

    private const int DontWait = 0x40; // MSG_DONTWAIT
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL
    private const int More = 0x8000; // MSG_MORE: a packet waits for what follows, 200 ms at the most

    /// <summary>The layout of the ranges and of <c>struct msghdr</c> is that of 64-bit Linux.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && sizeof(nint) == 8;

    /// <summary>Bytes taken by the socket's buffer; 0 if it has no room or the call failed: the ordinary way then waits, or tells the error.</summary>
    public static long TrySend(Socket socket, ReadOnlySpan<IoRange> ranges, bool moreFollows)
    {
        fixed (IoRange* first = ranges) // Stack memory of the caller; what the ranges point at is held by the caller.
        {
            var message = new MessageHeader { Ranges = (nint)first, RangeCount = (nuint)ranges.Length };
            return Math.Max(0, SendMessage(socket.SafeHandle, &message, DontWait | NoSignal | (moreFollows ? More : 0)));
        }
    }

    /// <summary>The same for managed bytes.</summary>
    public static long TrySend(Socket socket, ReadOnlySpan<byte> bytes, bool moreFollows)
    {
        fixed (byte* first = bytes)
        {
            var range = new IoRange((nint)first, (nuint)bytes.Length);
            return TrySend(socket, new ReadOnlySpan<IoRange>(in range), moreFollows);
        }
    }

    /// <summary>The same for managed bytes before and behind native ranges.</summary>
    /// <param name="ranges">The first and the last are filled in here.</param>
    public static long TrySend(Socket socket, ReadOnlySpan<byte> head, Span<IoRange> ranges, ReadOnlySpan<byte> tail, bool moreFollows)
    {
        fixed (byte* first = head, last = tail)
        {
            ranges[0] = new IoRange((nint)first, (nuint)head.Length);
            ranges[^1] = new IoRange((nint)last, (nuint)tail.Length);
            return TrySend(socket, ranges, moreFollows);
        }
    }

    /// <summary>Bytes that were there; 0 if none were, at the end of the stream, or if the call failed: the ordinary way tells which.</summary>
    public static long TryReceive(Socket socket, ReadOnlySpan<IoRange> ranges)
    {
        fixed (IoRange* first = ranges)
        {
            var message = new MessageHeader { Ranges = (nint)first, RangeCount = (nuint)ranges.Length };
            return Math.Max(0, ReceiveMessage(socket.SafeHandle, &message, DontWait));
        }
    }

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    private static partial nint SendMessage(SafeSocketHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg")]
    private static partial nint ReceiveMessage(SafeSocketHandle socket, MessageHeader* message, int flags);

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public nint Name;
        public uint NameBytes;
        public nint Ranges;
        public nuint RangeCount;
        public nint Control;
        public nuint ControlBytes;
        public int Flags;
    }
}
