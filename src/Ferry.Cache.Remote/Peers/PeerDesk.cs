using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Peers;

/// <summary>Answers other exchanges: which records this one has itself, and their bytes. Thread-safe.</summary>
/// <remarks>What a peer or a shared store holds is never told nor given: whoever asks can ask there, and no question can go in a circle.</remarks>
/// <param name="cache">Not owned; outlives this.</param>
/// <param name="id">Tells this exchange from every other, and from itself before a restart.</param>
public sealed class PeerDesk(RecordCache cache, string id)
{
    private static readonly ulong OpaqueFamily = RecordPath.FamilyDigest(KvLayout.Opaque(0));

    public string Id => id;

    /// <returns>One answer a key: layout and length of its records.</returns>
    internal Task<IReadOnlyList<IReadOnlyCollection<(KvLayout Layout, int RecordBytes)>>> FindAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken) =>
        cache.FindOwnAsync(keys, cancellationToken);

    /// <param name="shard">The record's name within its chunk.</param>
    /// <returns>Null for a miss. The caller disposes it once the bytes are sent.</returns>
    internal async ValueTask<ChunkLease?> TryLeaseAsync(KvKey key, RecordPath.ShardName shard, CancellationToken cancellationToken)
    {
        if (await cache.TryGetOwnAsync(key, QueryOf(shard), cancellationToken) is not { } hit)
        {
            return null;
        }
        if (IsIt(hit.Chunk, shard))
        {
            return hit.Chunk;
        }
        hit.Dispose();
        return null;
    }

    /// <summary>Somebody received other bytes than these should be: proves what lies in memory, and drops it if it is not what was written. A tier proves what it reads by itself.</summary>
    /// <returns>False when it was damaged here.</returns>
    internal bool Prove(KvKey key, RecordPath.ShardName shard)
    {
        if (!cache.Memory.TryLease(key, QueryOf(shard), out var chunk))
        {
            return true;
        }
        using (chunk)
        {
            if (!IsIt(chunk, shard) || KvRecord.TryRead(chunk.Shards[0].Record.Span, out _, out _))
            {
                return true;
            }
            cache.Memory.DropDamaged(chunk.Shards[0]);
            return false;
        }
    }

    private static ChunkQuery QueryOf(RecordPath.ShardName shard) => shard.Family == OpaqueFamily
        ? ChunkQuery.Opaque
        : new ChunkQuery(shard.FirstHead, shard.Heads, 0, IsUsable: family => RecordPath.FamilyDigest(family) == shard.Family);

    /// <summary>A query may be served by a longer shard, or by several: a peer asked for one by its name.</summary>
    private static bool IsIt(ChunkLease chunk, RecordPath.ShardName shard) =>
        chunk.Shards is [var only] && RecordPath.OfShard(only.Layout) == shard.ToString();
}
