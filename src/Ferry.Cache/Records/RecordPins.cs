using System.Diagnostics.CodeAnalysis;

namespace Ferry.Cache.Records;

/// <summary>Leases with an expiry: a request's chunks stay until the peer has fetched them, or until it is clear that it will not.</summary>
/// <remarks>Thread-safe. Nothing runs by itself: <see cref="ReleaseExpired"/> is called by the store when it needs room, and by whoever wants the bytes back sooner.</remarks>
public sealed class RecordPins(TimeProvider time, int maxPins = RecordPins.DefaultMaxPins) : IDisposable
{
    /// <summary>Hand-overs under way at one time: 512 sequences (the guide's max-num-seqs) with room to spare.</summary>
    public const int DefaultMaxPins = 16_384;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, Pin> _pins = [];
    private readonly PriorityQueue<long, DateTimeOffset> _byExpiry = new();
    private long _lastId;
    private long _expired;
    private bool _disposed;

    internal TimeProvider Time { get; } = time;

    /// <summary>Pins not yet ended.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _pins.Count;
            }
        }
    }

    /// <summary>Pins that ended by their expiry and not by <see cref="Release"/>.</summary>
    public long Expired => Volatile.Read(ref _expired);

    /// <summary>Keeps the leases until released or expired.</summary>
    /// <param name="leases">Owned by the pin from now on, also when the answer is false: then they are disposed.</param>
    /// <param name="onEnd">Called once when the pin ends, released or expired, before its leases are; null for none. Quick, and without calling back.</param>
    /// <returns>False when there are too many pins.</returns>
    public bool TryAdd(IReadOnlyList<RecordLease> leases, TimeSpan duration, Action<PinEnd>? onEnd, out long pinId, out DateTimeOffset expiresAt)
    {
        ReleaseExpired();
        expiresAt = Time.GetUtcNow() + duration;
        lock (_lock)
        {
            pinId = ++_lastId;
            if (_pins.Count < maxPins && !_disposed)
            {
                _pins.Add(pinId, new Pin(leases, expiresAt, onEnd));
                _byExpiry.Enqueue(pinId, expiresAt);
                DropReleased_NeedsLock();
                return true;
            }
        }
        DisposeAll(leases);
        return false;
    }

    /// <summary>Moves the expiry to <paramref name="duration"/> from now, never to an earlier time.</summary>
    /// <returns>False when the pin has ended: its bytes may be gone.</returns>
    public bool TryExtend(long pinId, TimeSpan duration, out DateTimeOffset expiresAt)
    {
        ReleaseExpired();
        lock (_lock)
        {
            if (!_pins.TryGetValue(pinId, out var pin))
            {
                expiresAt = default;
                return false;
            }
            var wanted = Time.GetUtcNow() + duration;
            expiresAt = wanted > pin.ExpiresAt ? wanted : pin.ExpiresAt;
            // The queue keeps the old expiry; ReleaseExpired puts the pin back when it meets it, so extending never grows the queue.
            pin.ExpiresAt = expiresAt;
            return true;
        }
    }

    /// <returns>False when the pin has ended before.</returns>
    public bool Release(long pinId)
    {
        if (!TryTake(pinId, out var pin))
        {
            return false;
        }
        End(pin, PinEnd.Released);
        return true;
    }

    /// <returns>Pins ended by this call.</returns>
    public int ReleaseExpired()
    {
        var ended = 0;
        while (TryTakeExpired(out var pin))
        {
            End(pin, PinEnd.Expired);
            Interlocked.Increment(ref _expired);
            ended++;
        }
        return ended;
    }

    public void Dispose()
    {
        Pin[] pins;
        lock (_lock)
        {
            _disposed = true;
            pins = [.. _pins.Values];
            _pins.Clear();
            _byExpiry.Clear();
        }
        Array.ForEach(pins, pin => End(pin, PinEnd.Closed));
    }

    private bool TryTakeExpired([NotNullWhen(true)] out Pin? pin)
    {
        lock (_lock)
        {
            var now = Time.GetUtcNow();
            while (_byExpiry.TryPeek(out var pinId, out var queuedExpiry) && queuedExpiry <= now)
            {
                _byExpiry.Dequeue();
                if (!_pins.TryGetValue(pinId, out pin))
                {
                    continue; // Released before its time.
                }
                if (pin.ExpiresAt <= now)
                {
                    return _pins.Remove(pinId);
                }
                _byExpiry.Enqueue(pinId, pin.ExpiresAt);
            }
            pin = null;
            return false;
        }
    }

    /// <summary>Pins released early leave their number in the queue; it is rebuilt when those are the greater part.</summary>
    private void DropReleased_NeedsLock()
    {
        if (_byExpiry.Count <= (2 * _pins.Count) + 64)
        {
            return;
        }
        _byExpiry.Clear();
        foreach (var (pinId, pin) in _pins)
        {
            _byExpiry.Enqueue(pinId, pin.ExpiresAt);
        }
    }

    private bool TryTake(long pinId, [NotNullWhen(true)] out Pin? pin)
    {
        lock (_lock)
        {
            return _pins.Remove(pinId, out pin);
        }
    }

    private static void End(Pin pin, PinEnd end)
    {
        pin.OnEnd?.Invoke(end);
        DisposeAll(pin.Leases);
    }

    private static void DisposeAll(IReadOnlyList<RecordLease> leases)
    {
        foreach (var lease in leases)
        {
            lease.Dispose();
        }
    }

    private sealed class Pin(IReadOnlyList<RecordLease> leases, DateTimeOffset expiresAt, Action<PinEnd>? onEnd)
    {
        public IReadOnlyList<RecordLease> Leases { get; } = leases;

        public DateTimeOffset ExpiresAt { get; set; } = expiresAt;

        public Action<PinEnd>? OnEnd { get; } = onEnd;
    }
}
