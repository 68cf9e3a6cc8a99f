using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Kv.Conversion;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange;

/// <summary>Copies computed chunks out of the engine's pool into records. On the engine's thread: copies and hashes, waits for nothing.</summary>
internal sealed class ChunkSaver(
    KvPool pool, RecordCache cache, KvExchangeOptions options, ConversionPlans plans, ReportBook reports)
{
    /// <summary>Saves one piece of a prompt, unless it is there already.</summary>
    /// <param name="wantsLease">True when the piece must stay for a decode node.</param>
    /// <returns>The leases of the chunk's shards if wanted and saved, else null.</returns>
    public IReadOnlyList<RecordLease>? Save(in KvSave save, in KvKey key, bool wantsLease)
    {
        var isFull = save.TokenCount == options.ChunkTokens;
        var isKept = (isFull || options.SaveUnfullChunk) && (options.KeepInMemory || WritesBehind);
        if (!wantsLease && !isKept)
        {
            return null;
        }
        var writesBehind = WritesBehind && (isFull || options.SaveUnfullChunk);
        if (TryLeasePresent(key, save.TokenCount) is { } present)
        {
            return Keep(present.Shards, wantsLease, behind: false);
        }
        return SaveRanks(save, key) is { } saved ? Keep(saved, wantsLease, writesBehind) : null;
    }

    /// <summary>Room for a piece that is saved layer by layer for a decode node.</summary>
    /// <returns>Null when the piece is there already, or there is no room: then <see cref="Save"/> has all to do.</returns>
    public LayeredSave? TryBeginLayers(in KvSave save, in KvKey key)
    {
        if (TryLeasePresent(key, save.TokenCount) is { } present)
        {
            present.Dispose();
            return null;
        }
        var shards = new List<(int Rank, KvLayout Layout, RecordReservation Room)>(pool.TensorParallelSize);
        for (var rank = 0; rank < pool.TensorParallelSize; rank++)
        {
            var layout = pool.RankLayout(rank, save.TokenCount);
            if (shards.Exists(shard => shard.Layout == layout))
            {
                continue; // With more ranks than KV heads, ranks hold copies of one head.
            }
            if (cache.Memory.TryReserve(KvRecord.HeaderBytes + layout.PayloadBytes) is not { } room)
            {
                shards.ForEach(shard => shard.Room.Dispose());
                return null;
            }
            shards.Add((rank, layout, room));
        }
        return new LayeredSave(key, save.FirstToken, save.TokenCount, shards[0].Layout.Layers, shards);
    }

    /// <summary>Copies the next layer out of the pool, and takes it into the checksum.</summary>
    public void SaveLayer(in KvSave save, LayeredSave piece)
    {
        for (var shard = 0; shard < piece.Shards.Count; shard++)
        {
            var target = piece.LayerOf(shard, piece.LayersDone);
            pool.CopyOutLayer(piece.Shards[shard].Rank, save.Blocks.Span, save.TokenCount, piece.LayersDone, target);
            piece.Shards[shard].Room.Advance(target.Length);
        }
        piece.LayersDone++;
    }

    /// <summary>All layers are there: makes the piece's records.</summary>
    public IReadOnlyList<RecordLease> EndLayers(string requestId, LayeredSave piece)
    {
        var records = piece.Commit();
        var bytes = piece.Shards.Sum(shard => shard.Layout.PayloadBytes);
        reports.Counters.BytesSaved.Add(bytes);
        reports.Open(requestId).Update(report => report with { BytesSaved = report.BytesSaved + bytes });
        var isFull = piece.TokenCount == options.ChunkTokens;
        return Keep(records, wantsLease: true, WritesBehind && (isFull || options.SaveUnfullChunk))!;
    }

    private bool WritesBehind => cache.HasTiers && options.Role != KvRole.Consumer;

    /// <summary>What memory has already, in this node's layout or in one that this node can convert: a chunk fetched from a peer is not saved again.</summary>
    private ChunkLease? TryLeasePresent(in KvKey key, int tokenCount)
    {
        if (!cache.Memory.Contains(key))
        {
            return null; // Spares the count of misses, which is about requests.
        }
        var target = ShardCover.FamilyOf(pool.RankLayout(0, tokenCount));
        return cache.Memory.TryLease(key, new ChunkQuery(0, 0, tokenCount, target, family => plans.TryGet([family], target) is not null), out var lease)
            ? lease
            : null;
    }

    private List<RecordLease>? SaveRanks(in KvSave save, in KvKey key)
    {
        var leases = new List<RecordLease>(pool.TensorParallelSize);
        for (var rank = 0; rank < pool.TensorParallelSize; rank++)
        {
            var layout = pool.RankLayout(rank, save.TokenCount);
            if (leases.Exists(lease => lease.Header.Layout == layout))
            {
                continue; // With more ranks than KV heads, ranks hold copies of one head.
            }
            if (SaveRank(save, key, rank, layout) is not { } lease)
            {
                leases.ForEach(lease => lease.Dispose());
                return null;
            }
            leases.Add(lease);
        }
        return leases;
    }

    private RecordLease? SaveRank(in KvSave save, in KvKey key, int rank, KvLayout layout)
    {
        using var reservation = cache.Memory.TryReserve(KvRecord.HeaderBytes + layout.PayloadBytes);
        if (reservation is null)
        {
            return null;
        }
        pool.CopyOut(rank, save.Blocks.Span, save.TokenCount, reservation.Record.Span[KvRecord.HeaderBytes..]);
        reports.Counters.BytesSaved.Add(layout.PayloadBytes);
        reports.Open(save.RequestId).Update(report => report with { BytesSaved = report.BytesSaved + layout.PayloadBytes });
        return reservation.Commit(new KvRecordHeader(layout, key.Model, save.FirstToken, key.Hash, key.Salt, layout.PayloadBytes, 0));
    }

    private IReadOnlyList<RecordLease>? Keep(IReadOnlyList<RecordLease> leases, bool wantsLease, bool behind)
    {
        foreach (var lease in leases)
        {
            if (behind)
            {
                cache.StoreBehind(lease);
            }
            if (!wantsLease)
            {
                lease.Dispose();
            }
        }
        return wantsLease ? leases : null;
    }
}
