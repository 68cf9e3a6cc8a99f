using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>poll(2) of one descriptor.</summary>
internal static partial class EventPoll
{
    private const short PollIn = 1;

    /// <summary>Ends when the descriptor can be read, or after the time; a signal may end it early.</summary>
    public static void Wait(int fd, int timeoutMilliseconds)
    {
        var entry = new Entry { Fd = fd, Events = PollIn };
        _ = Poll(ref entry, 1, timeoutMilliseconds);
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref Entry entry, nuint count, int timeoutMilliseconds);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
