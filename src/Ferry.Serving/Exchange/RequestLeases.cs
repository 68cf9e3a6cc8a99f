using System.Diagnostics.CodeAnalysis;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>What this node holds for decode nodes: finished prefills by lease id, each with a pin that ends by itself. Thread-safe.</summary>
internal sealed class RequestLeases(RecordPins pins, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long PinId, HashSet<KvKey> Chunks)> _byLease = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _byLease.Count;
            }
        }
    }

    /// <summary>Holds the records for a decode node.</summary>
    /// <param name="records">Owned from now on.</param>
    /// <returns>False when too much is held already; nothing is held then.</returns>
    public bool TryHold(
        string requestId, IEnumerable<KvKey> chunks, int tokens, IReadOnlyList<RecordLease> records, TimeSpan duration,
        [NotNullWhen(true)] out string? leaseId, out DateTimeOffset expiresAt)
    {
        // 122 random bits of the system's generator: the id is the right to read, and is told to the two nodes' router only.
        var id = Guid.NewGuid().ToString("n");
        leaseId = null;
        lock (_lock)
        {
            // Entered before the pin exists, so that an end that comes at once finds it.
            _byLease.Add(id, (0, [.. chunks]));
        }
        if (!pins.TryAdd(records, duration, end => Forget(id, requestId, tokens, end), out var pinId, out expiresAt))
        {
            Drop(id);
            return false;
        }
        lock (_lock)
        {
            if (_byLease.TryGetValue(id, out var held))
            {
                _byLease[id] = (pinId, held.Chunks);
            }
        }
        leaseId = id;
        return true;
    }

    /// <summary>The chunks held under a lease; false when it has ended or never was.</summary>
    public bool TryGetChunks(string leaseId, [NotNullWhen(true)] out IReadOnlySet<KvKey>? chunks)
    {
        pins.ReleaseExpired();
        lock (_lock)
        {
            var found = _byLease.TryGetValue(leaseId, out var held);
            chunks = held.Chunks;
            return found;
        }
    }

    /// <returns>The new end, or null when the lease has ended.</returns>
    public DateTimeOffset? TryExtend(string leaseId, TimeSpan duration) =>
        TryGetPin(leaseId, out var pinId) && pins.TryExtend(pinId, duration, out var expiresAt) ? expiresAt : null;

    /// <summary>The decode node has what it wants, or wants it no more: the records may be evicted at once.</summary>
    public bool Release(string leaseId) => TryGetPin(leaseId, out var pinId) && pins.Release(pinId);

    private bool TryGetPin(string leaseId, out long pinId)
    {
        lock (_lock)
        {
            var found = _byLease.TryGetValue(leaseId, out var held);
            pinId = held.PinId;
            return found;
        }
    }

    private void Forget(string leaseId, string requestId, int tokens, PinEnd end)
    {
        Drop(leaseId);
        if (end == PinEnd.Expired)
        {
            ExchangeLog.LeaseExpired(logger, requestId, tokens);
        }
    }

    private void Drop(string leaseId)
    {
        lock (_lock)
        {
            _byLease.Remove(leaseId);
        }
    }
}
