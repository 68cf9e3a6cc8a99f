using System.Threading.Channels;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers;

/// <summary>Writes records to one tier behind the back of whoever put them into memory. Thread-safe; putting never waits.</summary>
/// <remarks>
/// Records of different names are written in any order, several at a time; those of one name one after the other, in the order in which they
/// were put, so that what replaces a record is never overtaken by what it replaces. A record that was taken out of memory by hand while it waited
/// is not written, and one that was taken out while it was being written is deleted again: what somebody removed does not come back.
/// </remarks>
public sealed class WriteBehind : IAsyncDisposable
{
    private readonly GuardedTier _tier;
    private readonly WriteBehindOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Item> _ready = Channel.CreateUnbounded<Item>(); // Bounded by bytes, below: records differ in size.
    private readonly Task[] _writers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<(long Target, TaskCompletionSource Done)> _flushes = [];
    private readonly SortedSet<long> _unfinished = [];
    private readonly Dictionary<(KvKey Key, KvLayout Layout), Queue<Item>?> _sameName = []; // What waits for the record of that name that is ready or being written.
    private long _lastTicket;
    private long _queuedBytes;
    private long _dropped;
    private long _failed;
    private long _written;
    private long _withdrawn;
    private long _cutOff;
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
            _writers[index] = Task.Run(WriteAllAsync);
        }
    }

    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Records that found the queue full or closed.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Records that the tier did not take.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Records that the tier has, by this or by an earlier write.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Records that were taken out of memory by hand before they were written, or while they were.</summary>
    public long Withdrawn => Volatile.Read(ref _withdrawn);

    /// <summary>Queues a record.</summary>
    /// <param name="lease">Owned from now on, whatever the answer.</param>
    /// <param name="mode">With <see cref="PutMode.Replace"/> what the tier has under the record's key is deleted first.</param>
    /// <returns>False when it was dropped.</returns>
    public bool TryEnqueue(RecordLease lease, PutMode mode = PutMode.KeepFirst)
    {
        bool full;
        lock (_lock)
        {
            full = _closed || _queuedBytes + lease.RecordBytes > _options.QueueBytes;
            if (!full)
            {
                _queuedBytes += lease.RecordBytes;
                _unfinished.Add(++_lastTicket);
                Order_NeedsLock(new Item(lease, mode, _lastTicket));
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
            CompleteIfDone_NeedsLock();
        }
        using var deadline = new CancellationTokenSource(_options.CloseDeadline, _time);
        using var cut = deadline.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _stop);
        await Task.WhenAll(_writers);
        if (_cutOff > 0)
        {
            CacheLog.WriteBehindCutOff(_logger, _cutOff, _tier.Name, _options.CloseDeadline);
        }
        _stop.Dispose();
    }

    private static (KvKey Key, KvLayout Layout) NameOf(RecordLease lease) =>
        (lease.Key, lease.Header.Layout is { IsOpaque: false } layout ? layout : KvLayout.Opaque(0)); // A key's opaque records are one, whatever their length.

    private void Order_NeedsLock(Item item)
    {
        var name = NameOf(item.Lease);
        if (_sameName.TryGetValue(name, out var waiting))
        {
            waiting ??= _sameName[name] = new Queue<Item>();
            waiting.Enqueue(item);
            return;
        }
        _sameName.Add(name, null);
        _ready.Writer.TryWrite(item); // The channel is complete only when nothing is unfinished, so this succeeds.
    }

    private async Task WriteAllAsync()
    {
        await foreach (var item in _ready.Reader.ReadAllAsync())
        {
            if (_stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref _cutOff);
                Interlocked.Increment(ref _failed);
            }
            else if (!item.Lease.IsCurrent)
            {
                Interlocked.Increment(ref _withdrawn);
            }
            else
            {
                await WriteAsync(item);
            }
            Finish(item);
        }
    }

    private async Task WriteAsync(Item item)
    {
        var lease = item.Lease;
        try
        {
            if (item.Mode == PutMode.Replace && _tier.Capabilities.HasFlag(TierCapabilities.Delete))
            {
                await _tier.DeleteAsync(lease.Key, _stop.Token);
            }
            var outcome = await _tier.PutAsync(lease.Header, lease.Record, _stop.Token);
            // What was to be replaced and is still there could not be deleted: the tier keeps the old value, and that is a failure.
            var stored = outcome == TierPutOutcome.Stored || (outcome == TierPutOutcome.Present && item.Mode == PutMode.KeepFirst);
            if (stored && !lease.IsCurrent && _tier.Capabilities.HasFlag(TierCapabilities.Delete))
            {
                await _tier.DeleteAsync(lease.Key, _stop.Token); // Removed meanwhile. What replaced it, if anything, waits behind this.
                Interlocked.Increment(ref _withdrawn);
                return;
            }
            Interlocked.Increment(ref stored ? ref _written : ref _failed);
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

    private void Finish(Item item)
    {
        var (name, bytes) = (NameOf(item.Lease), item.Lease.RecordBytes);
        item.Lease.Dispose();
        lock (_lock)
        {
            if (_sameName[name] is { Count: > 0 } waiting)
            {
                _ready.Writer.TryWrite(waiting.Dequeue());
            }
            else
            {
                _sameName.Remove(name);
            }
            _queuedBytes -= bytes;
            _unfinished.Remove(item.Ticket);
            var oldest = _unfinished.Count == 0 ? long.MaxValue : _unfinished.Min;
            for (var index = _flushes.Count - 1; index >= 0; index--)
            {
                if (_flushes[index].Target < oldest)
                {
                    _flushes[index].Done.SetResult();
                    _flushes.RemoveAt(index);
                }
            }
            CompleteIfDone_NeedsLock();
        }
    }

    private void CompleteIfDone_NeedsLock()
    {
        if (_closed && _unfinished.Count == 0)
        {
            _ready.Writer.TryComplete();
        }
    }

    private readonly record struct Item(RecordLease Lease, PutMode Mode, long Ticket);
}
