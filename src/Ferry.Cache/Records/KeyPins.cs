using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>Pins of chunks by their key, softly or hard, each with an end. Thread-safe.</summary>
/// <remarks>A hard pin holds leases, in <see cref="RecordPins"/>, which ends it when its time comes; a soft pin is a mark on the chunk that <see cref="ReleaseExpired"/> takes off.</remarks>
public sealed class KeyPins
{
    private readonly Lock _storeLock;
    private readonly RecordIndex _index;
    private readonly RecordStore _store;
    private readonly int _pinsMax;
    private readonly Dictionary<KvKey, Entry> _pins = []; // Under the lock, as what follows.
    private readonly PriorityQueue<KvKey, DateTimeOffset> _softByExpiry = new();

    internal KeyPins(Lock storeLock, RecordIndex index, RecordStore store, int pinsMax) =>
        (_storeLock, _index, _store, _pinsMax) = (storeLock, index, store, pinsMax);

    public int Count
    {
        get
        {
            lock (_storeLock)
            {
                return _pins.Count;
            }
        }
    }

    /// <summary>How a chunk is pinned; null when it is not.</summary>
    public PinKind? KindOf(in KvKey key)
    {
        lock (_storeLock)
        {
            return _pins.TryGetValue(key, out var entry) ? entry.Kind : null;
        }
    }

    /// <summary>Pins a chunk, in place of a pin that it has.</summary>
    /// <returns>False when it is not in memory, or too many are pinned.</returns>
    public bool TryPin(in KvKey key, PinKind kind, TimeSpan duration)
    {
        Unpin(key);
        if (kind == PinKind.Hard)
        {
            return TryPinHard(key, duration);
        }
        lock (_storeLock)
        {
            var chunk = _index.Chunks.Find(key);
            if (chunk == ChunkTable.None || _pins.Count >= _pinsMax)
            {
                return false;
            }
            _index.SetSoft(chunk, true);
            var expiresAt = _store.Pins.Time.GetUtcNow() + duration;
            _pins[key] = new Entry(kind, null, expiresAt);
            _softByExpiry.Enqueue(key, expiresAt);
            DropStale();
            return true;
        }
    }

    /// <returns>False when it was not pinned.</returns>
    public bool Unpin(in KvKey key)
    {
        Entry? pin;
        lock (_storeLock)
        {
            if (!_pins.Remove(key, out pin))
            {
                return false;
            }
            TakeMarkOff(key, pin);
        }
        if (pin.Hard is { } hard)
        {
            _store.Pins.Release(hard.PinId);
        }
        return true;
    }

    /// <summary>Ends the soft pins whose time has come.</summary>
    /// <returns>Pins ended.</returns>
    internal int ReleaseExpired()
    {
        var ended = 0;
        lock (_storeLock)
        {
            var now = _store.Pins.Time.GetUtcNow();
            while (_softByExpiry.TryPeek(out var key, out var expiry) && expiry <= now)
            {
                _softByExpiry.Dequeue();
                if (_pins.TryGetValue(key, out var pin) && pin.Kind == PinKind.Soft && pin.ExpiresAt <= now)
                {
                    _pins.Remove(key);
                    TakeMarkOff(key, pin);
                    ended++;
                }
            }
        }
        return ended;
    }

    private bool TryPinHard(KvKey key, TimeSpan duration)
    {
        var hard = new HardPin();
        if (!_store.Readers.TryLeaseAll(key, out var leases))
        {
            return false;
        }
        lock (_storeLock)
        {
            if (_pins.Count >= _pinsMax)
            {
                leases.ForEach(lease => lease.Dispose());
                return false;
            }
            // Entered before the pin exists, so that an end that comes at once finds it.
            _pins[key] = new Entry(PinKind.Hard, hard, DateTimeOffset.MaxValue);
        }
        var isPinned = _store.Pins.TryAdd(leases, duration, _ => Ended(key, hard), out var pinId, out _);
        bool isStillWanted;
        lock (_storeLock)
        {
            hard.PinId = pinId;
            isStillWanted = _pins.TryGetValue(key, out var pin) && ReferenceEquals(pin.Hard, hard);
        }
        if (!isPinned)
        {
            Ended(key, hard);
        }
        else if (!isStillWanted)
        {
            _store.Pins.Release(pinId); // Unpinned, or pinned anew, before anybody knew the pin's number.
        }
        return isPinned;
    }

    /// <summary>Forgets a hard pin that ended, unless the key has been pinned anew since.</summary>
    private void Ended(in KvKey key, HardPin hard)
    {
        lock (_storeLock)
        {
            if (_pins.TryGetValue(key, out var pin) && ReferenceEquals(pin.Hard, hard))
            {
                _pins.Remove(key);
            }
        }
    }

    /// <summary>Takes the mark of a soft pin off its chunk, if that is still there.</summary>
    private void TakeMarkOff(in KvKey key, Entry pin)
    {
        if (pin.Kind == PinKind.Soft && _index.Chunks.Find(key) is var chunk && chunk != ChunkTable.None)
        {
            _index.SetSoft(chunk, false);
        }
    }

    /// <summary>Pins taken off early leave their place in the queue; it is rebuilt when those are the greater part.</summary>
    private void DropStale()
    {
        if (_softByExpiry.Count <= (2 * _pins.Count) + 64)
        {
            return;
        }
        _softByExpiry.Clear();
        foreach (var (key, pin) in _pins)
        {
            if (pin.Kind == PinKind.Soft)
            {
                _softByExpiry.Enqueue(key, pin.ExpiresAt);
            }
        }
    }

    private sealed record Entry(PinKind Kind, HardPin? Hard, DateTimeOffset ExpiresAt);

    private sealed class HardPin
    {
        private long _pinId;

        /// <summary>The pin in <see cref="RecordPins"/>.</summary>
        public long PinId { get => Volatile.Read(ref _pinId); set => Volatile.Write(ref _pinId, value); }
    }
}
