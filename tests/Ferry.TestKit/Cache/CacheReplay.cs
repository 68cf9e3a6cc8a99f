using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.TestKit.Cache;

/// <summary>Replays a trace through the real store: each request leases its longest prefix, then puts what it lacks, one smallest record a block.</summary>
public static class CacheReplay
{
    private static readonly KvLayout Layout = KvLayout.Opaque(0);

    /// <summary>Hits among all blocks asked for, prefix by prefix.</summary>
    public static (long Hits, long Blocks) Run(IReadOnlyList<int[]> requests, int capacityBlocks, string policy)
    {
        using var store = TestRecords.Store(capacityBlocks * (long)KvRecord.HeaderBytes, policy: policy, alignmentBytes: KvRecord.HeaderBytes);
        var (hits, blocks) = (0L, 0L);
        var chain = new List<ChunkLease>();
        foreach (var request in requests)
        {
            var keys = Array.ConvertAll(request, block => TestRecords.Key(block));
            hits += store.LeaseChain(keys, _ => ChunkQuery.Opaque, chain);
            blocks += request.Length;
            var found = chain.Count;
            chain.ForEach(lease => lease.Dispose());
            chain.Clear();
            for (var index = found; index < keys.Length; index++)
            {
                Put(store, keys[index]);
            }
        }
        store.CheckIntegrity();
        return (hits, blocks);
    }

    private static void Put(RecordStore store, in KvKey key)
    {
        using var room = store.TryReserve(key, Layout, PutMode.KeepFirst, out var outcome);
        if (outcome is not (ReserveOutcome.Reserved or ReserveOutcome.Present))
        {
            throw new InvalidOperationException($"A block of the trace got no room: {outcome}.");
        }
        room?.CommitVerified(new KvRecordHeader(Layout, key.Model, 0, key.Hash, key.Salt, 0, 0)).Dispose();
    }
}
