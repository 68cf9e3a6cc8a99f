using System.Collections.Concurrent;
using Ferry.Cache.Records;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Makes a client's shard of others. Thread-safe.</summary>
internal sealed class ShardConverter(RecordStore memory, ILogger logger)
{
    /// <summary>Pairs of layouts that were said to the log; a fleet has a handful.</summary>
    private const int SaidMax = 256;

    private readonly ConversionPlans _plans = new();
    private readonly ConcurrentDictionary<(KvLayout From, KvLayout To), bool> _said = new();

    /// <summary>Whether the shards can be made into the wanted one.</summary>
    public bool CanMake(ChunkLease chunk, KvLayout wanted) => _plans.TryGet(LayoutsOf(chunk), wanted) is not null;

    /// <inheritdoc cref="CanMake(ChunkLease, KvLayout)"/>
    public bool CanMake(IReadOnlyList<KvLayout> shards, KvLayout wanted) => _plans.TryGet(shards, wanted) is not null;

    /// <summary>The wanted shard, made now.</summary>
    /// <returns>Its payload at the front of the room; null when there is no plan or no room. The caller disposes it.</returns>
    public RecordReservation? TryMake(ChunkLease chunk, KvLayout wanted)
    {
        var layouts = LayoutsOf(chunk);
        if (_plans.TryGet(layouts, wanted) is not { } plan || memory.TryReserve(wanted.PayloadBytes) is not { } room)
        {
            return null;
        }
        try
        {
            plan.Run([.. chunk.Shards.Select(shard => shard.Payload)], room.Record.Span);
        }
        catch
        {
            room.Dispose();
            throw;
        }
        Say(layouts[0], wanted);
        return room;
    }

    private static KvLayout[] LayoutsOf(ChunkLease chunk)
    {
        var layouts = new KvLayout[chunk.Shards.Count];
        for (var index = 0; index < layouts.Length; index++)
        {
            layouts[index] = chunk.Shards[index].Header.Layout;
        }
        return layouts;
    }

    private void Say(KvLayout from, KvLayout to)
    {
        if (!_said.ContainsKey((from, to)) && _said.Count < SaidMax && _said.TryAdd((from, to), true))
        {
            ClientLog.FirstConversion(logger, from, to);
        }
    }
}
