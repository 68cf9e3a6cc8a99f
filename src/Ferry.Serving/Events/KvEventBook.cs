using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Serving.Events;

/// <summary>What was announced, and what is still to be. The engine's thread announces, the store says what left, the publisher takes.</summary>
/// <remarks>
/// Subscribers must never believe in a chunk that is gone: what leaves while it is being announced is taken back, and when the queue is full
/// everything is declared unknown. A chunk is announced whole, with its tokens, by whoever computes or loads it; one that only lies in memory
/// from another process' time is announced when a prompt meets it.
/// </remarks>
/// <param name="queueMax">Events that wait for the publisher, at most.</param>
internal sealed class KvEventBook(int queueMax) : IRecordObserver
{
    private readonly Lock _gate = new();
    private readonly HashSet<KvKey> _announced = []; // Chunks of the memory, so no more than it holds.
    private readonly Queue<KvEvent> _waiting = new();

    /// <summary>Called, from any thread and at times under the store's lock, when there is something to take.</summary>
    public Action? Arrived { get; set; }

    /// <summary>Times that the queue was full.</summary>
    public long Overflows { get; private set; }

    /// <summary>Announces a full chunk, unless it is announced or not in memory.</summary>
    /// <param name="isThere">Whether memory holds the chunk. Called without a lock.</param>
    public void Announce(in KvKey key, ChunkHash? parent, ReadOnlySpan<int> tokens, Func<KvKey, bool> isThere)
    {
        lock (_gate)
        {
            if (_announced.Contains(key))
            {
                return;
            }
        }
        if (!isThere(key))
        {
            return;
        }
        lock (_gate)
        {
            if (_announced.Add(key))
            {
                Add(new KvEvent(KvEventKind.Stored, key.Hash, parent, tokens.ToArray(), key.Salt));
            }
        }
        if (!isThere(key))
        {
            Withdraw(key); // It left before it was announced, so nobody else will say so.
        }
        Arrived?.Invoke();
    }

    /// <summary>Takes what waits, in order, at most <paramref name="countMax"/>.</summary>
    public List<KvEvent> Take(int countMax)
    {
        lock (_gate)
        {
            var taken = new List<KvEvent>(Math.Min(countMax, _waiting.Count));
            while (taken.Count < countMax && _waiting.TryDequeue(out var next))
            {
                taken.Add(next);
            }
            return taken;
        }
    }

    void IRecordObserver.Stored(in ChunkEvent stored)
    {
        // Its tokens are not known here: Announce says it.
    }

    /// <remarks>Also when only one rank's record left: the chunk cannot be used whole any more.</remarks>
    void IRecordObserver.Left(in ChunkEvent left, EvictionReason reason)
    {
        if (Withdraw(left.Key))
        {
            Arrived?.Invoke();
        }
    }

    private bool Withdraw(in KvKey key)
    {
        lock (_gate)
        {
            if (!_announced.Remove(key))
            {
                return false;
            }
            Add(new KvEvent(KvEventKind.Removed, key.Hash, null, [], ""));
            return true;
        }
    }

    private void Add(in KvEvent next)
    {
        if (_waiting.Count < queueMax)
        {
            _waiting.Enqueue(next);
            return;
        }
        Overflows++;
        _waiting.Clear();
        _announced.Clear();
        _waiting.Enqueue(new KvEvent(KvEventKind.Cleared, default, null, [], ""));
    }
}
