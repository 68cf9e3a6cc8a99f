using System.Net.Sockets;

namespace Ferry.Transfer.Probe;

/// <summary>
/// What loopback TCP gives at best: for each stream a thread that does nothing but blocking sends from memory, and one that receives into memory, asked by
/// a one-byte question per transfer. As many transfers are asked for and not yet there as the measured side has in flight.
/// </summary>
public sealed class RawSocketLimit : IDisposable
{
    private const int CallBytes = 1 << 20;

    private readonly List<LoopbackPair> _pairs = [];
    private readonly ProbeArena _source;
    private readonly ProbeArena _target;

    /// <param name="source">Not disposed.</param>
    /// <param name="target">Not disposed.</param>
    public RawSocketLimit(int streams, ProbeArena source, ProbeArena target)
    {
        (_source, _target) = (source, target);
        for (var i = 0; i < streams; i++)
        {
            _pairs.Add(LoopbackPair.Connect());
        }
    }

    /// <summary>
    /// Moves transfers of <paramref name="bytes"/> until the duration has passed; returns what was moved. With one in flight that is the better of two
    /// halves: each transfer whole on one stream, or in equal shares on all.
    /// </summary>
    public async Task<ProbeSample> RunAsync(long bytes, int depth, TimeSpan duration, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (depth > 1)
        {
            var used = Math.Min(depth, _pairs.Count);
            return await MoveAsync(used, bytes, depth / used, inStep: false, duration, clock, cancellationToken);
        }
        var whole = await MoveAsync(1, bytes, 1, inStep: false, duration / 2, clock, cancellationToken);
        var shares = await MoveAsync(_pairs.Count, bytes / _pairs.Count, 1, inStep: true, duration / 2, clock, cancellationToken);
        return whole.GigabytesPerSecond >= shares.GigabytesPerSecond ? whole : shares;
    }

    public void Dispose()
    {
        _pairs.ForEach(pair => pair.Dispose());
    }

    private async Task<ProbeSample> MoveAsync(
        int used, long bytes, int ahead, bool inStep, TimeSpan duration, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        var begun = clock.GetTimestamp();
        // In step: the next transfer is asked for when all shares of the last are there, and all streams stop after the same one.
        var goesOn = true;
        using var step = inStep ? new Barrier(used, _ => goesOn = GoesOn()) : null;
        var cpu = process.TotalProcessorTime;
        long moved = 0;
        await Task.WhenAll(_pairs.Take(used).SelectMany((pair, index) => new[]
        {
            Task.Factory.StartNew(() => Send(pair.Sender, index, bytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            Task.Factory.StartNew(() => Interlocked.Add(ref moved, Receive(pair.Receiver, index, bytes, ahead, step is null ? GoesOn : Step)),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
        }));
        var elapsed = clock.GetElapsedTime(begun);
        process.Refresh();
        return new ProbeSample(moved, elapsed, process.TotalProcessorTime - cpu, [], null);

        bool GoesOn() => clock.GetElapsedTime(begun) < duration && !cancellationToken.IsCancellationRequested;

        bool Step()
        {
            step!.SignalAndWait(CancellationToken.None);
            return goesOn;
        }
    }

    private void Send(Socket socket, int stream, long bytes)
    {
        Span<byte> question = stackalloc byte[1];
        for (var n = 0; socket.Receive(question) == 1 && question[0] == 1; n++)
        {
            var offset = At(n, stream, bytes, _source);
            for (var left = bytes; left > 0;)
            {
                left -= socket.Send(_source.Span(offset + bytes - left, (int)Math.Min(CallBytes, left)));
            }
        }
    }

    private long Receive(Socket socket, int stream, long bytes, int ahead, Func<bool> goesOn)
    {
        ReadOnlySpan<byte> more = [1];
        ReadOnlySpan<byte> enough = [0];
        var moved = 0L;
        var asked = 0;
        for (var (n, isLast) = (0, false); n < asked || !isLast; n++)
        {
            while (asked < n + ahead && !isLast && !(isLast = !goesOn()))
            {
                socket.Send(more);
                asked++;
            }
            if (n == asked)
            {
                break;
            }
            var offset = At(n, stream, bytes, _target);
            for (var left = bytes; left > 0;)
            {
                left -= socket.Receive(_target.Span(offset + bytes - left, (int)Math.Min(CallBytes, left)));
            }
            moved += bytes;
        }
        socket.Send(enough);
        return moved;
    }

    private long At(int n, int stream, long bytes, ProbeArena arena) => ((long)n * _pairs.Count + stream) % Math.Max(1, arena.Bytes / bytes) * bytes;
}
