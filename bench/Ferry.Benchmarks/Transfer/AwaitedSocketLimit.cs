using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Ferry.Transfer.Probe;

namespace Ferry.Benchmarks.Transfer;

/// <summary>
/// <see cref="RawSocketLimit"/> for callers that await: the receiving thread tells a task that a transfer is there, and whoever awaits it asks for the next, as in any interface
/// that does not hold a thread for each transfer. What lies between the two limits is the way from one thread to another.
/// </summary>
internal sealed class AwaitedSocketLimit : IDisposable
{
    private const int CallBytes = 1 << 20;
    private static readonly byte[] More = [1];
    private static readonly byte[] Enough = [0];

    private readonly List<Stream> _streams = [];
    private readonly ProbeArena _source;
    private readonly ProbeArena _target;

    /// <param name="source">Not disposed.</param>
    /// <param name="target">Not disposed.</param>
    public AwaitedSocketLimit(int streams, ProbeArena source, ProbeArena target)
    {
        (_source, _target) = (source, target);
        for (var i = 0; i < streams; i++)
        {
            var (sender, receiver) = LoopbackPair.Connect();
            _streams.Add(new Stream(sender, receiver));
        }
    }

    /// <summary>As <see cref="RawSocketLimit.RunAsync"/>: with one in flight the better of whole transfers on one stream and equal shares on all.</summary>
    public async Task<ProbeSample> RunAsync(long bytes, int depth, TimeSpan duration)
    {
        if (depth > 1)
        {
            return await MoveAsync(bytes, depth, shares: 1, duration);
        }
        var whole = await MoveAsync(bytes, 1, shares: 1, duration / 2);
        var inShares = await MoveAsync(bytes, 1, _streams.Count, duration / 2);
        return whole.GigabytesPerSecond >= inShares.GigabytesPerSecond ? whole : inShares;
    }

    public void Dispose()
    {
        foreach (var stream in _streams)
        {
            stream.Sender.Dispose();
            stream.Receiver.Dispose();
        }
    }

    private async Task<ProbeSample> MoveAsync(long bytes, int depth, int shares, TimeSpan duration)
    {
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var begun = Stopwatch.GetTimestamp();
        var share = bytes / shares;
        var threads = _streams.SelectMany((stream, index) => new[]
        {
            Task.Factory.StartNew(() => Send(stream.Sender, index, share), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            Task.Factory.StartNew(() => Receive(stream, index, share), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
        }).ToArray();
        long moved = 0;
        await Task.WhenAll(Enumerable.Range(0, depth).Select(worker => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(begun) < duration)
            {
                if (shares == 1)
                {
                    await _streams[worker % _streams.Count].AskAsync();
                }
                else
                {
                    await Task.WhenAll(_streams.Select(stream => stream.AskAsync()));
                }
                Interlocked.Add(ref moved, bytes);
            }
        })));
        foreach (var stream in _streams)
        {
            stream.Receiver.Send(Enough);
        }
        await Task.WhenAll(threads);
        var elapsed = Stopwatch.GetElapsedTime(begun);
        process.Refresh();
        return new ProbeSample(moved, elapsed, process.TotalProcessorTime - cpu, [], null);
    }

    private void Send(Socket socket, int stream, long bytes)
    {
        Span<byte> question = stackalloc byte[1];
        for (var n = 0; socket.Receive(question) == 1 && question[0] == More[0]; n++)
        {
            var offset = At(n, stream, bytes, _source);
            for (var left = bytes; left > 0;)
            {
                left -= socket.Send(_source.Span(offset + bytes - left, (int)Math.Min(CallBytes, left)));
            }
        }
        socket.Send(Enough); // The end, for the receiving thread.
    }

    private void Receive(Stream stream, int index, long bytes)
    {
        for (var n = 0; ; n++)
        {
            var offset = At(n, index, bytes, _target);
            for (var left = bytes; left > 0;)
            {
                left -= stream.Receiver.Receive(_target.Span(offset + bytes - left, (int)Math.Min(CallBytes, left)));
                if (stream.Asked.IsEmpty)
                {
                    return;
                }
            }
            stream.Asked.TryDequeue(out var asked);
            asked!.SetResult();
        }
    }

    private long At(int n, int stream, long bytes, ProbeArena arena) => ((long)n * _streams.Count + stream) % Math.Max(1, arena.Bytes / bytes) * bytes;

    private sealed record Stream(Socket Sender, Socket Receiver)
    {
        private readonly Lock _asking = new();

        public ConcurrentQueue<TaskCompletionSource> Asked { get; } = new();

        public Task AskAsync()
        {
            var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_asking) // The queue's order is that of the questions.
            {
                Asked.Enqueue(asked);
                Receiver.Send(More);
            }
            return asked.Task;
        }
    }
}
