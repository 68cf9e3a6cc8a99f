using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Halves of pairs that wait for the other half. Bounded in bytes, number and time: what is in doubt is dropped, the oldest first. Thread-safe.</summary>
internal sealed class PendingPairs : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ByteText, LinkedListNode<(ByteText Key, PendingHalf Half)>> _byKey = [];
    private readonly LinkedList<(ByteText Key, PendingHalf Half)> _oldestFirst = [];
    private readonly ClientStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<ByteText, string> _dropped;
    private readonly ITimer _timer;
    private long _bytes;
    private bool _disposed;

    /// <param name="dropped">Told of each half that is given up, and why.</param>
    public PendingPairs(ClientStoreOptions options, TimeProvider time, Action<ByteText, string> dropped)
    {
        (_options, _time, _dropped) = (options, time, dropped);
        _timer = time.CreateTimer(static state => ((PendingPairs)state!).DropExpired(), this, options.PendingTimeout / 2, options.PendingTimeout / 2);
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _byKey.Count;
            }
        }
    }

    /// <summary>Bytes of the values that wait.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Brings the value of a pair.</summary>
    /// <returns>The note that waited for it, and the value stays the caller's; null when there is none: then the value is owned here.</returns>
    public byte[]? AddValue(ByteText key, PendingValue value)
    {
        var given = new List<(ByteText Key, PendingHalf Half, string Reason)>();
        lock (_lock)
        {
            if (Take_NeedsLock(key) is { } other)
            {
                if (other.Note is not null)
                {
                    return other.Note;
                }
                given.Add((key, other, "replaced"));
            }
            Add_NeedsLock(key, new PendingHalf(value, null, _time.GetTimestamp()), given);
        }
        GiveUp(given);
        return null;
    }

    /// <summary>Brings the note of a pair.</summary>
    /// <returns>The value that waited for it, owned by the caller; null when there is none: then the note waits here.</returns>
    public PendingValue? AddNote(ByteText key, byte[] note)
    {
        var given = new List<(ByteText Key, PendingHalf Half, string Reason)>();
        lock (_lock)
        {
            if (Take_NeedsLock(key) is { Value: { } value })
            {
                return value;
            }
            Add_NeedsLock(key, new PendingHalf(null, note, _time.GetTimestamp()), given);
        }
        GiveUp(given);
        return null;
    }

    /// <summary>Drops what waits under a key.</summary>
    /// <returns>False when nothing did.</returns>
    public bool Remove(ByteText key)
    {
        PendingHalf? half;
        lock (_lock)
        {
            half = Take_NeedsLock(key);
        }
        half?.GiveUp();
        return half is not null;
    }

    public void Clear()
    {
        var given = new List<(ByteText Key, PendingHalf Half, string Reason)>();
        lock (_lock)
        {
            while (_oldestFirst.First is { } oldest)
            {
                TakeOldest_NeedsLock(oldest, "cleared", given);
            }
        }
        foreach (var (_, half, _) in given)
        {
            half.GiveUp();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }
        _timer.Dispose();
        Clear();
    }

    private void DropExpired()
    {
        var given = new List<(ByteText Key, PendingHalf Half, string Reason)>();
        lock (_lock)
        {
            while (_oldestFirst.First is { } oldest && _time.GetElapsedTime(oldest.Value.Half.Since) >= _options.PendingTimeout)
            {
                TakeOldest_NeedsLock(oldest, "time-out", given);
            }
        }
        GiveUp(given);
    }

    private void Add_NeedsLock(ByteText key, PendingHalf half, List<(ByteText Key, PendingHalf Half, string Reason)> given)
    {
        if (_disposed)
        {
            given.Add((key, half, "closing"));
            return;
        }
        _byKey.Add(key, _oldestFirst.AddLast((key, half)));
        _bytes += half.Bytes;
        while ((_bytes > _options.PendingBytesMax || _byKey.Count > _options.PendingMax) && _oldestFirst.First is { } oldest && oldest.Value.Half != half)
        {
            TakeOldest_NeedsLock(oldest, "too many wait", given);
        }
    }

    private void TakeOldest_NeedsLock(
        LinkedListNode<(ByteText Key, PendingHalf Half)> oldest, string reason, List<(ByteText Key, PendingHalf Half, string Reason)> given)
    {
        var (key, half) = oldest.Value;
        Take_NeedsLock(key);
        given.Add((key, half, reason));
    }

    private PendingHalf? Take_NeedsLock(ByteText key)
    {
        if (!_byKey.Remove(key, out var node))
        {
            return null;
        }
        _oldestFirst.Remove(node);
        _bytes -= node.Value.Half.Bytes;
        return node.Value.Half;
    }

    /// <summary>Outside the lock: giving room back takes the store's.</summary>
    private void GiveUp(List<(ByteText Key, PendingHalf Half, string Reason)> given)
    {
        foreach (var (key, half, reason) in given)
        {
            half.GiveUp();
            _dropped(key, reason);
        }
    }
}
