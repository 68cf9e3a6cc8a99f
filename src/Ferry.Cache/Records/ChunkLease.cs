using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>Leases of the shards, in order of heads, that together hold the asked span of heads of one chunk. All of one family of layouts.</summary>
public sealed class ChunkLease(KvKey key, IReadOnlyList<RecordLease> shards) : IDisposable
{
    public KvKey Key { get; } = key;

    public IReadOnlyList<RecordLease> Shards { get; } = shards;

    public void Dispose()
    {
        for (var shard = 0; shard < Shards.Count; shard++) // An enumerator would be an object.
        {
            Shards[shard].Dispose();
        }
    }
}
