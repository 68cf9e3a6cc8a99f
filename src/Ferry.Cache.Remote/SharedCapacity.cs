using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote;

/// <summary>Keeps a shared store within its limit, and free of expired records, by deleting what was least recently used. Thread-safe.</summary>
/// <remarks>
/// Between walks it counts its own writes only; other nodes write too, so each time the limit seems reached, and now and then besides, it walks the store and
/// counts what is really there. One walk at a time, in the background: whoever needs room waits for it, but not longer than
/// <see cref="SharedCapacityOptions.RoomWait"/>. A walk holds no more than <see cref="VictimsPerWalk"/> names in memory, whatever the store holds.
/// Holds: counted bytes = bytes of the last walk + everything taken since it began − what was given back or deleted since.
/// </remarks>
internal sealed class SharedCapacity : IAsyncDisposable
{
    private const int VictimsPerWalk = 4096;
    private const int WalksPerPut = 4; // A put that needs more room than four walks free finds the tier full.
    private const double KeepAfterEviction = 0.95; // So that a full store is not walked again for the next record.
    private const double WalkAheadAt = 0.98; // A large store makes room before somebody has to wait for it …
    private const double SmallRecord = 0.001; // … which pays while one record is nothing beside the rest.

    private readonly ICappedStore _store;
    private readonly SharedCapacityOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Task _recounting;
    private Task _walk = Task.CompletedTask;
    private long? _bytes;
    private long _inFlight;
    private long _changedSinceWalkBegan;
    private long _evictions;
    private bool _cutOffSaid;
    private bool _failureSaid;

    public SharedCapacity(ICappedStore store, SharedCapacityOptions options, TimeProvider time, ILogger logger)
    {
        (_store, _options, _time, _logger) = (store, options, time, logger);
        _recounting = options.CapacityBytes is null && options.ExpireAfter is null ? Task.CompletedTask : RecountAsync();
    }

    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>True for a record of that age that must no longer be served.</summary>
    public bool IsExpired(DateTimeOffset lastUsed) => _options.ExpireAfter is { } after && _time.GetUtcNow() - lastUsed > after;

    /// <summary>Takes room for a record, deleting others if need be. Answered by <see cref="Landed"/> or <see cref="GiveBack"/>.</summary>
    /// <returns>False: there is no room.</returns>
    public async Task<bool> TryTakeAsync(long recordBytes, CancellationToken cancellationToken)
    {
        if (_options.CapacityBytes is not { } capacity)
        {
            return true;
        }
        if (recordBytes > capacity)
        {
            return false;
        }
        for (var walks = 0; !TryTakeNow(recordBytes, capacity); walks++)
        {
            if (walks == WalksPerPut)
            {
                return false;
            }
            try
            {
                await StartOrJoinWalk(recordBytes).WaitAsync(_options.RoomWait, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false; // The walk goes on.
            }
        }
        return true;
    }

    /// <summary>The record that room was taken for is in its place.</summary>
    public void Landed(long recordBytes)
    {
        lock (_lock)
        {
            _inFlight -= recordBytes;
        }
    }

    /// <summary>The record that room was taken for did not come.</summary>
    public void GiveBack(long recordBytes)
    {
        lock (_lock)
        {
            _inFlight -= recordBytes;
            Change(-recordBytes);
        }
    }

    /// <summary>A record went that was not evicted from here: deleted by a user, or damaged.</summary>
    public void Removed(long recordBytes)
    {
        lock (_lock)
        {
            Change(-recordBytes);
        }
    }

    /// <summary>Counts what is there now.</summary>
    public async Task<TierUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        var count = await CountAsync(null, cancellationToken);
        return new TierUsage(count.Records, count.Bytes, _options.CapacityBytes, count.IsCutOff);
    }

    /// <summary>Stops a walk that is under way and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task walk;
        lock (_lock)
        {
            walk = _walk;
        }
        await Task.WhenAll(_recounting, walk).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _stop.Dispose();
    }

    private bool TryTakeNow(long recordBytes, long capacity)
    {
        bool walkAhead;
        lock (_lock)
        {
            if (_bytes is not { } bytes || bytes + recordBytes > capacity)
            {
                return false;
            }
            Change(recordBytes);
            _inFlight += recordBytes;
            walkAhead = bytes + recordBytes > WalkAheadAt * capacity && recordBytes < SmallRecord * capacity;
        }
        if (walkAhead)
        {
            _ = StartOrJoinWalk((long)((1 - WalkAheadAt) * capacity)); // Owned by the field; DisposeAsync awaits it.
        }
        return true;
    }

    /// <remarks>Under the lock.</remarks>
    private void Change(long bytes)
    {
        _bytes += bytes;
        _changedSinceWalkBegan += bytes;
    }

    private Task StartOrJoinWalk(long wantedBytes)
    {
        lock (_lock)
        {
            if (_walk.IsCompleted && !_stop.IsCancellationRequested)
            {
                _walk = Task.Run(() => WalkAsync(wantedBytes, _stop.Token), CancellationToken.None);
            }
            return _walk;
        }
    }

    private async Task RecountAsync()
    {
        // A record that has expired is not served; how soon it is deleted after that matters little.
        var every = _options.ExpireAfter is { } after && after < _options.RecountEvery ? after : _options.RecountEvery;
        try
        {
            while (true)
            {
                await StartOrJoinWalk(0).WaitAsync(_stop.Token);
                await Task.Delay(every, _time, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task WalkAsync(long wantedBytes, CancellationToken cancellationToken)
    {
        try
        {
            await CountAndEvictAsync(wantedBytes, cancellationToken);
            _failureSaid = false;
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error) // The edge of the background: puts find the tier full, and the next walk tries again.
        {
            if (!_failureSaid)
            {
                _failureSaid = true;
                RemoteLog.WalkFailed(_logger, _store.Name, error.Message);
            }
        }
    }

    private async Task CountAndEvictAsync(long wantedBytes, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _changedSinceWalkBegan = _inFlight; // What is on its way may be seen or not: counted twice rather than not at all.
        }
        var victims = new Victims(VictimsPerWalk);
        var count = await CountAsync(victims, cancellationToken);
        lock (_lock)
        {
            _bytes = count.Bytes + Math.Max(0, _changedSinceWalkBegan);
        }
        if (count.IsCutOff && !_cutOffSaid)
        {
            _cutOffSaid = true;
            RemoteLog.ScanCutOff(_logger, _store.Name, _options.ScanRecordsMax);
        }
        var go = Choose(victims, wantedBytes);
        if (go.Count == 0)
        {
            return;
        }
        var gone = await _store.DeleteAsync(go, cancellationToken);
        lock (_lock)
        {
            Change(-gone.Bytes);
        }
        Interlocked.Add(ref _evictions, gone.Records);
        RemoteLog.Evicted(_logger, _store.Name, gone.Records, gone.Bytes);
    }

    /// <summary>All that have expired, then the least recently used until there is room for what is wanted and a little more.</summary>
    private List<TierListing> Choose(Victims victims, long wantedBytes)
    {
        var go = new List<TierListing>();
        long bytes;
        lock (_lock)
        {
            bytes = _bytes ?? 0;
        }
        var mustEvict = _options.CapacityBytes is { } capacity && bytes + wantedBytes > capacity;
        var keep = mustEvict ? Math.Min((long)(_options.CapacityBytes!.Value * KeepAfterEviction), _options.CapacityBytes.Value - wantedBytes) : long.MaxValue;
        foreach (var record in victims.OldestFirst())
        {
            if (bytes <= keep && !IsExpired(record.LastUsed))
            {
                break;
            }
            go.Add(record);
            bytes -= record.RecordBytes;
        }
        return go;
    }

    private async Task<(long Records, long Bytes, bool IsCutOff)> CountAsync(Victims? victims, CancellationToken cancellationToken)
    {
        var (records, bytes) = (0L, 0L);
        await foreach (var record in _store.ListAsync(cancellationToken))
        {
            if (records == _options.ScanRecordsMax)
            {
                return (records, bytes, true);
            }
            records++;
            bytes += record.RecordBytes;
            victims?.Offer(record);
        }
        return (records, bytes, false);
    }

    /// <summary>The least recently used of all that were offered.</summary>
    private sealed class Victims(int countMax)
    {
        private readonly PriorityQueue<TierListing, long> _youngestFirst = new(Comparer<long>.Create((left, right) => right.CompareTo(left)));

        public void Offer(TierListing record)
        {
            if (_youngestFirst.Count < countMax)
            {
                _youngestFirst.Enqueue(record, record.LastUsed.UtcTicks);
            }
            else
            {
                _youngestFirst.EnqueueDequeue(record, record.LastUsed.UtcTicks);
            }
        }

        public IEnumerable<TierListing> OldestFirst()
        {
            var oldestLast = new List<TierListing>(_youngestFirst.Count);
            while (_youngestFirst.TryDequeue(out var record, out _))
            {
                oldestLast.Add(record);
            }
            return Enumerable.Reverse(oldestLast);
        }
    }
}
