using System.Threading.Channels;
using Ferry.Cache.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers;

/// <summary>Writes records to one tier behind the back of whoever put them into memory. Thread-safe; putting never waits.</summary>
public sealed class WriteBehind : IAsyncDisposable
{
    private readonly GuardedTier _tier;
    private readonly WriteBehindOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<RecordLease> _queue = Channel.CreateUnbounded<RecordLease>(); // Bounded by bytes, below: records differ in size.
    private readonly Task[] _writers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<(long Target, TaskCompletionSource Done)> _flushes = [];
    private readonly SortedSet<long> _unfinished = [];
    private long _lastTicket;
    private long _taken;
    private long _queuedBytes;
    private long _dropped;
    private long _failed;
    private long _written;
    private bool _fullSaid;
    private bool _tierFullSaid;
    private bool _closed;

    public WriteBehind(GuardedTier tier, WriteBehindOptions options, TimeProvider time, ILogger<WriteBehind> logger)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Writers, 1);
        (_tier, _options, _time, _logger) = (tier, options, time, logger);
        _writers = new Task[options.Writers];
        for (var index = 0; index < _writers.Length; index++)
        {
            _writers[index] = Task.Run(WriteAsync);
        }
    }

    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Records that found the queue full or closed.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Records that the tier did not take.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Records that the tier has, by this or by an earlier write.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Queues a record.</summary>
    /// <param name="lease">Owned from now on, whatever the answer.</param>
    /// <returns>False when it was dropped.</returns>
    public bool TryEnqueue(RecordLease lease)
    {
        bool full;
        lock (_lock)
        {
            full = _closed || _queuedBytes + lease.RecordBytes > _options.QueueBytes;
            if (!full)
            {
                _queuedBytes += lease.RecordBytes;
                _unfinished.Add(++_lastTicket);
                // Under the lock, so that leases lie in the queue in the order of their tickets. It is complete only after _closed, so this succeeds.
                _queue.Writer.TryWrite(lease);
            }
        }
        if (!full)
        {
            return true;
        }
        lease.Dispose();
        Interlocked.Increment(ref _dropped);
        if (!Interlocked.Exchange(ref _fullSaid, true))
        {
            CacheLog.WriteBehindFull(_logger, _tier.Name, _options.QueueBytes);
        }
        return false;
    }

    /// <summary>Ends when every record queued before this call was written or given up.</summary>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_unfinished.Count == 0)
            {
                return Task.CompletedTask;
            }
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _flushes.Add((_lastTicket, done));
            return done.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes no more records, writes what is queued within <see cref="WriteBehindOptions.CloseDeadline"/>, then drops the rest. The tier stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }
            _closed = true;
        }
        _queue.Writer.Complete();
        using var deadline = new CancellationTokenSource(_options.CloseDeadline, _time);
        using var cut = deadline.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _stop);
        await Task.WhenAll(_writers);
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        var cutOff = 0L;
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (TryTake(out var lease, out var ticket))
            {
                if (_stop.IsCancellationRequested)
                {
                    cutOff++;
                    Interlocked.Increment(ref _failed);
                }
                else
                {
                    await WriteAsync(lease);
                }
                Finish(lease, ticket);
            }
        }
        if (cutOff > 0)
        {
            CacheLog.WriteBehindCutOff(_logger, cutOff, _tier.Name, _options.CloseDeadline);
        }
    }

    private async Task WriteAsync(RecordLease lease)
    {
        try
        {
            var outcome = await _tier.PutAsync(lease.Header, lease.Record, _stop.Token);
            Interlocked.Increment(ref outcome is TierPutOutcome.Stored or TierPutOutcome.Present ? ref _written : ref _failed);
            if (outcome == TierPutOutcome.Full && !Interlocked.Exchange(ref _tierFullSaid, true))
            {
                CacheLog.TierFull(_logger, _tier.Name);
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _failed); // Closing: the deadline passed in the middle of this write.
        }
    }

    private bool TryTake(out RecordLease lease, out long ticket)
    {
        lock (_lock)
        {
            ticket = _taken + 1;
            if (!_queue.Reader.TryRead(out lease!))
            {
                return false;
            }
            _taken = ticket;
            return true;
        }
    }

    private void Finish(RecordLease lease, long ticket)
    {
        var bytes = lease.RecordBytes;
        lease.Dispose();
        lock (_lock)
        {
            _queuedBytes -= bytes;
            _unfinished.Remove(ticket);
            var oldest = _unfinished.Count == 0 ? long.MaxValue : _unfinished.Min;
            for (var index = _flushes.Count - 1; index >= 0; index--)
            {
                if (_flushes[index].Target < oldest)
                {
                    _flushes[index].Done.SetResult();
                    _flushes.RemoveAt(index);
                }
            }
        }
    }
}
