using System.Threading.Channels;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Chains;

/// <summary>Brings what was looked up and found below memory up into it, before it is asked for. Thread-safe.</summary>
/// <remarks>
/// It goes no further ahead of those who ask than <see cref="RecordCacheOptions.PrefetchBytesAheadMax"/>: a chain longer than the memory would push out its own
/// beginning. What is asked for, and what nobody asked for in <see cref="RecordCacheOptions.PrefetchKeptFor"/>, makes room for the next.
/// </remarks>
public sealed class Prefetcher : IAsyncDisposable
{
    private readonly RecordCache _cache;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TimeSpan _keptFor;
    private readonly Channel<(KvKey Key, ChunkQuery Query)> _wanted;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _workers;
    private readonly Lock _lock = new();
    private readonly Dictionary<Part, (long Bytes, long LoadedAt)> _ahead = []; // Under the lock, as what follows.
    private readonly Queue<(Part Part, long LoadedAt)> _oldest = [];
    private TaskCompletionSource _room = NewSource();
    private long _aheadBytes;
    private int _aheadCount;
    private long _loaded;
    private long _used;
    private long _unused;
    private long _dropped;
    private bool _isDisposed;

    internal Prefetcher(RecordCache cache, RecordCacheOptions options, TimeProvider time, ILogger logger)
    {
        (_cache, _time, _logger, _keptFor) = (cache, time, logger, options.PrefetchKeptFor);
        BytesAheadMax = cache.HasTiers ? Math.Min(options.PrefetchBytesAheadMax, cache.Memory.Arena.CapacityBytes / 4) : 0;
        _wanted = Channel.CreateBounded<(KvKey, ChunkQuery)>(options.PrefetchesWaitingMax);
        _workers = [.. Enumerable.Range(0, BytesAheadMax > 0 ? options.PrefetchesAtOnce : 0).Select(_ => RunAsync(_stopping.Token))];
    }

    /// <summary>Record bytes that may lie in memory ahead of those who ask; 0: nothing is prefetched.</summary>
    public long BytesAheadMax { get; }

    public PrefetchCounts Counts
    {
        get
        {
            lock (_lock)
            {
                return new PrefetchCounts(_loaded, _used, _unused, Volatile.Read(ref _dropped), _aheadBytes);
            }
        }
    }

    /// <summary>Says that a chunk was looked up and found in a tier. Never waits; where too many are wanted already it is left where it is (counted).</summary>
    public void Want(in KvKey key, ChunkQuery query)
    {
        if (BytesAheadMax > 0 && !_wanted.Writer.TryWrite((key, query)))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Says that a chunk was asked for. One read where nothing lies ahead.</summary>
    /// <param name="query">For the same heads as it was wanted.</param>
    public void Took(in KvKey key, ChunkQuery query)
    {
        if (Volatile.Read(ref _aheadCount) == 0)
        {
            return;
        }
        lock (_lock)
        {
            if (Leave_NeedsLock(new Part(key, query)))
            {
                _used++;
            }
        }
    }

    /// <summary>Calls off what is under way and forgets what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }
        _wanted.Writer.TryComplete();
        await _stopping.CancelAsync();
        await Task.WhenAll(_workers);
        _stopping.Dispose();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync(CancellationToken stopping)
    {
        await Task.Yield();
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await RoomAsync(stopping);
                var (key, query) = await _wanted.Reader.ReadAsync(stopping);
                await BringUpAsync(key, query, stopping);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
            {
                // It ends, or the loop says so.
            }
#pragma warning disable CA1031 // The edge of a loop: what is wrong with one chunk must not end the prefetching of all.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                CacheLog.PrefetchFailed(_logger, exception);
            }
        }
    }

    private async Task BringUpAsync(KvKey key, ChunkQuery query, CancellationToken stopping)
    {
        var part = new Part(key, query);
        lock (_lock)
        {
            if (!_ahead.TryAdd(part, (0, 0))) // Who takes it from here on, while it is on its way, finds it.
            {
                return;
            }
            Volatile.Write(ref _aheadCount, _ahead.Count);
        }
        var bytes = 0L;
        try
        {
            bytes = await _cache.BringUpAsync(key, query, stopping);
        }
        finally
        {
            Arrived(part, bytes);
        }
    }

    /// <param name="bytes">0: it was there already, or is nowhere any more.</param>
    private void Arrived(Part part, long bytes)
    {
        lock (_lock)
        {
            _loaded += bytes > 0 ? 1 : 0;
            if (bytes == 0 || !_ahead.ContainsKey(part))
            {
                Leave_NeedsLock(part);
                return;
            }
            var loadedAt = _time.GetTimestamp();
            _ahead[part] = (bytes, loadedAt);
            _aheadBytes += bytes;
            _oldest.Enqueue((part, loadedAt));
        }
    }

    /// <summary>Ends when no more lies ahead than may.</summary>
    private async Task RoomAsync(CancellationToken stopping)
    {
        while (true)
        {
            Task room;
            TimeSpan left;
            lock (_lock)
            {
                Expire_NeedsLock();
                if (_aheadBytes < BytesAheadMax)
                {
                    return;
                }
                room = _room.Task;
                left = _keptFor - _time.GetElapsedTime(_oldest.Peek().LoadedAt);
            }
            await room.WaitAsync(left, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stopping.ThrowIfCancellationRequested();
        }
    }

    private void Expire_NeedsLock()
    {
        while (_oldest.TryPeek(out var oldest) && (!_ahead.TryGetValue(oldest.Part, out var entry) || entry.LoadedAt != oldest.LoadedAt || _time.GetElapsedTime(oldest.LoadedAt) >= _keptFor))
        {
            _oldest.Dequeue();
            if (entry.LoadedAt == oldest.LoadedAt && Leave_NeedsLock(oldest.Part))
            {
                _unused++;
            }
        }
    }

    private bool Leave_NeedsLock(Part part)
    {
        if (!_ahead.Remove(part, out var entry))
        {
            return false;
        }
        _aheadBytes -= entry.Bytes;
        Volatile.Write(ref _aheadCount, _ahead.Count);
        _room.TrySetResult();
        _room = NewSource();
        return true;
    }

    /// <summary>What serves one rank of a chunk: the other ranks' shards are others' to ask for.</summary>
    private readonly record struct Part(KvKey Key, int FirstHead, int HeadCount, bool WantsOpaque)
    {
        public Part(in KvKey key, ChunkQuery query)
            : this(key, query.FirstHead, query.HeadCount, query.WantsOpaque)
        {
        }
    }
}
