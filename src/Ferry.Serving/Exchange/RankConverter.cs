using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.Serving.Exchange;

/// <summary>Makes this node's rank payloads of a chunk's shards. Bytes that already lie right are handed on, not copied.</summary>
internal sealed class RankConverter(RecordCache cache, ConversionPlans plans, ReportBook reports, TimeProvider time)
{
    /// <param name="held">Receives what must live as long as the payloads do.</param>
    /// <returns>One payload a rank, rank 0 first; null when there is no room. Every target layout has a plan: the query that found the shards saw to it.</returns>
    public IReadOnlyList<ReadOnlyMemory<byte>>? TryConvert(WantedChunk wanted, ChunkLease chunk, RequestTrace trace, List<IDisposable> held)
    {
        var begun = time.GetTimestamp();
        var payloads = new ReadOnlyMemory<byte>[wanted.Targets.Count];
        var converted = 0L;
        for (var rank = 0; rank < payloads.Length; rank++)
        {
            var target = wanted.Targets[rank];
            var same = IndexOf(wanted.Targets, target, rank);
            if (same >= 0)
            {
                payloads[rank] = payloads[same]; // Ranks that hold copies of one head.
                continue;
            }
            var ready = chunk.Shards.FirstOrDefault(shard => shard.Header.Layout == target);
            if (ready is not null)
            {
                payloads[rank] = ready.Payload;
                continue;
            }
            if (TryConvert(chunk, target, held) is not { } payload)
            {
                return null;
            }
            payloads[rank] = payload;
            converted += target.PayloadBytes;
        }
        if (converted > 0)
        {
            reports.Counters.BytesConverted.Add(converted);
            trace.AddConversion(chunk.Shards[0].Header.Layout, wanted.Targets[0], converted);
        }
        trace.Update(report => report with { ConvertTime = report.ConvertTime + time.GetElapsedTime(begun) });
        return payloads;
    }

    private ReadOnlyMemory<byte>? TryConvert(ChunkLease chunk, KvLayout target, List<IDisposable> held)
    {
        var layouts = new KvLayout[chunk.Shards.Count];
        var sources = new ReadOnlyMemory<byte>[chunk.Shards.Count];
        for (var index = 0; index < layouts.Length; index++)
        {
            (layouts[index], sources[index]) = (chunk.Shards[index].Header.Layout, chunk.Shards[index].Payload);
        }
        if (plans.TryGet(layouts, target) is not { } plan || cache.Memory.TryReserve(target.PayloadBytes) is not { } room)
        {
            return null;
        }
        held.Add(room);
        plan.Run(sources, room.Record.Span);
        return room.Record;
    }

    private static int IndexOf(IReadOnlyList<KvLayout> targets, KvLayout target, int before)
    {
        for (var rank = 0; rank < before; rank++)
        {
            if (targets[rank] == target)
            {
                return rank;
            }
        }
        return -1;
    }
}
