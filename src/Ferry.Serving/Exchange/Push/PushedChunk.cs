using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Ferry.Transfer.SideChannel;

namespace Ferry.Serving.Exchange.Push;

/// <summary>A chunk on its way to a decode node. Its bytes stay where they are until it is disposed.</summary>
/// <remarks>The engine's thread says how much of it is computed (<see cref="Advance"/>, <see cref="Seal"/>); all else is the job's.</remarks>
/// <param name="layerCount">0: the records are whole. Else their layers come one by one, and the headers when it is sealed.</param>
/// <param name="held">Keeps the bytes; owned from now on.</param>
internal sealed class PushedChunk(KvKey key, IReadOnlyList<PushedShard> shards, int layerCount, IReadOnlyList<IDisposable> held) : IDisposable
{
    private int _readyLayers;
    private int _isSealed = layerCount == 0 ? 1 : 0;
    private int _isQueued;
    private int _sentLayers;

    public KvKey Key { get; } = key;

    public IReadOnlyList<PushedShard> Shards { get; } = shards;

    public long Bytes { get; } = shards.Sum(shard => (long)shard.RecordBytes);

    /// <summary>Whether the peer was asked for room.</summary>
    public bool IsPrepared { get; set; }

    /// <summary>The room at the peer; null: it wants none of this chunk.</summary>
    public PushGrant? Grant { get; set; }

    /// <summary>Where the shards go, in their order; set with <see cref="Grant"/>.</summary>
    public LocatedRecord[] Places { get; set; } = [];

    /// <summary>All of it has been handed to a write.</summary>
    public bool IsSent { get; private set; }

    public bool IsDisposed { get; private set; }

    public bool IsSealed => Volatile.Read(ref _isSealed) != 0;

    /// <summary>Layers [0, <paramref name="layers"/>) are in place.</summary>
    public void Advance(int layers) => Volatile.Write(ref _readyLayers, layers);

    /// <summary>The headers are in place too.</summary>
    public void Seal() => Volatile.Write(ref _isSealed, 1);

    /// <summary>Marks it as queued; false when it is already.</summary>
    public bool TryEnqueue() => Interlocked.Exchange(ref _isQueued, 1) == 0;

    /// <summary>What is computed after this is queued anew.</summary>
    public void Dequeued() => Interlocked.Exchange(ref _isQueued, 0);

    /// <summary>The ranges of every shard that are computed and not sent yet, from the record's first byte; they count as sent from now on.</summary>
    public IEnumerable<(int Shard, long Offset, long Bytes)> TakeReady()
    {
        var isSealed = IsSealed; // Before the layers: what is sealed has them all.
        var ready = Volatile.Read(ref _readyLayers);
        var from = _sentLayers;
        (_sentLayers, IsSent) = (ready, isSealed);
        for (var index = 0; index < Shards.Count; index++)
        {
            if (layerCount == 0)
            {
                yield return (index, 0, Shards[index].RecordBytes);
                continue;
            }
            var layerBytes = (Shards[index].RecordBytes - KvRecord.HeaderBytes) / layerCount;
            if (ready > from)
            {
                yield return (index, KvRecord.HeaderBytes + ((long)from * layerBytes), (long)(ready - from) * layerBytes);
            }
            if (isSealed)
            {
                yield return (index, 0, KvRecord.HeaderBytes);
            }
        }
    }

    public void Dispose()
    {
        IsDisposed = true;
        foreach (var one in held)
        {
            one.Dispose();
        }
    }
}
