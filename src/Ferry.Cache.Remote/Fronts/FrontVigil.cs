using System.Net.Sockets;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A connection's thread watches its socket for a little while before it sleeps: the client of small values asks again sooner than a thread wakes.</summary>
/// <remarks>
/// A sleep and a wake-up cost both ends some 10 µs each in a virtual machine: of 32 GETs of 4 KiB a fifth. It never watches longer than it worked since the last
/// bytes came, so that a processor's time at most doubles; not at all after long values, beside whose copies a wake-up is nothing; and hardly where the client
/// has let it watch in vain. docs/decisions/0006-fronts-own-their-sockets.md has the figures. One thread at a time.
/// </remarks>
internal sealed class FrontVigil(AwakeThreads threads) : IDisposable
{
    /// <summary>Received and sent since the last wait, at most.</summary>
    private const long BytesMax = 256 << 10;

    private const int VainMax = 3;
    private const int VainBetweenTries = 64; // Waits: a client may have changed its ways.
    private const int PauseIterations = 8;

    private static readonly TimeSpan Shortest = TimeSpan.FromMicroseconds(20); // What a wake-up costs at least.
    private static readonly TimeSpan Longest = TimeSpan.FromMicroseconds(200);

    private readonly TimeProvider _time = TimeProvider.System; // The processor's time is meant, which no test moves.
    private bool _isAwake;
    private bool _hasWaited = true;
    private long _since; // Of the last wait's end, as the bytes.
    private long _bytes;
    private int _vain; // One after the other.
    private int _skipped;

    /// <summary>Before a receive that may wait. Returns when bytes are here, or it is time to sleep.</summary>
    public void Watch(Socket socket)
    {
        if (!_isAwake || IsReady(socket))
        {
            return; // The work goes on.
        }
        _hasWaited = true;
        if (_bytes <= BytesMax && threads.MayWatch && (_vain < VainMax || ++_skipped == VainBetweenTries))
        {
            _skipped = 0;
            if (BecomesReady(socket))
            {
                _vain = 0;
                return;
            }
            _vain = Math.Min(_vain + 1, VainMax);
        }
        Sleep();
    }

    /// <summary>Bytes have come: the work begins.</summary>
    public void Begin()
    {
        if (!_isAwake)
        {
            _isAwake = true;
            threads.Woke();
        }
        if (_hasWaited)
        {
            (_hasWaited, _since, _bytes) = (false, _time.GetTimestamp(), 0);
        }
    }

    /// <summary>Received, by whatever wait, or sent.</summary>
    public void Moved(long byteCount) => _bytes += byteCount;

    public void Dispose()
    {
        if (_isAwake)
        {
            Sleep();
        }
    }

    /// <summary>Without the socket's lock, which the kernel takes to bring bytes: asking for their number does.</summary>
    private static bool IsReady(Socket socket) => socket.Poll(TimeSpan.Zero, SelectMode.SelectRead);

    private bool BecomesReady(Socket socket)
    {
        var begun = _time.GetTimestamp();
        var worked = _time.GetElapsedTime(_since, begun);
        var limit = worked < Shortest ? Shortest : worked > Longest ? Longest : worked;
        do
        {
            Thread.SpinWait(PauseIterations);
            if (IsReady(socket))
            {
                return true;
            }
        }
        while (threads.MayWatch && _time.GetElapsedTime(begun) < limit);
        return false;
    }

    private void Sleep()
    {
        _isAwake = false;
        threads.Slept();
    }
}
