using System.Collections.Concurrent;
using Ferry.Cache.Records;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Makes a client's shard of others. Thread-safe.</summary>
/// <param name="keptBytesMax">Bytes of made shards that stay as records; 0 for none.</param>
internal sealed class ShardConverter(RecordStore memory, long keptBytesMax, ILogger logger)
{
    /// <summary>Pairs of layouts that were said to the log; a fleet has a handful.</summary>
    private const int SaidMax = 256;

    private readonly ConversionPlans _plans = new();
    private readonly KeptConversions _kept = new(memory, keptBytesMax);
    private readonly ConcurrentDictionary<(KvLayout From, KvLayout To), bool> _said = new();

    /// <summary>Whether the shards can be made into the wanted one.</summary>
    public bool CanMake(ChunkLease chunk, KvLayout wanted) => _plans.TryGet(LayoutsOf(chunk), wanted) is not null;

    /// <inheritdoc cref="CanMake(ChunkLease, KvLayout)"/>
    public bool CanMake(IReadOnlyList<KvLayout> shards, KvLayout wanted) => _plans.TryGet(shards, wanted) is not null;

    /// <summary>Whether one layer of the shards can be made into one of the wanted.</summary>
    public bool CanMake(IReadOnlyList<KvLayout> shards, KvLayout wanted, LayerSlice slice) => _plans.TryGet(shards, wanted, slice) is not null;

    /// <summary>The wanted shard, made now of several chunks, each of which gives one of its layers.</summary>
    /// <returns>Null when there is no plan or no room.</returns>
    public ClientValue? TryMake(IReadOnlyList<LayerPart> parts, KvLayout wanted, ReadOnlyMemory<byte> note)
    {
        var plans = new ConversionPlan[parts.Count];
        for (var index = 0; index < plans.Length; index++)
        {
            if (_plans.TryGet(LayoutsOf(parts[index].Chunk), wanted, parts[index].Slice) is not { } plan)
            {
                return null;
            }
            plans[index] = plan;
        }
        if (memory.TryReserve(wanted.PayloadBytes) is not { } room)
        {
            return null;
        }
        for (var index = 0; index < plans.Length; index++)
        {
            plans[index].Run([.. parts[index].Chunk.Shards.Select(shard => shard.Payload)], room.Record.Span);
        }
        var from = parts[0].Chunk.Shards[0].Layout;
        SayOnce(from, wanted, () => ClientLog.FirstConversion(logger, from, wanted));
        return new ConvertedClientValue(room, room.Record, note);
    }

    /// <summary>The wanted shard, made now.</summary>
    /// <returns>Null when there is no plan or no room.</returns>
    public ClientValue? TryMake(ClientTarget target, ChunkLease chunk, KvLayout wanted, ReadOnlyMemory<byte> note)
    {
        var layouts = LayoutsOf(chunk);
        if (_plans.TryGet(layouts, wanted) is not { } plan)
        {
            return null;
        }
        var keeps = keptBytesMax >= KvRecord.HeaderBytes + wanted.PayloadBytes;
        var outcome = ReserveOutcome.Full;
        var room = keeps ? memory.TryReserve(target.Chunk, wanted, PutMode.KeepFirst, out outcome) : null;
        keeps = room is not null;
        room ??= memory.TryReserve(wanted.PayloadBytes);
        if (room is null)
        {
            return null;
        }
        try
        {
            var payload = keeps ? room.Payload : room.Record;
            plan.Run([.. chunk.Shards.Select(shard => shard.Payload)], payload.Span);
            SayOnce(layouts[0], wanted, () => ClientLog.FirstConversion(logger, layouts[0], wanted));
            if (!keeps)
            {
                return new ConvertedClientValue(room, payload, note);
            }
            var lease = _kept.Keep(room, HeaderOf(target, wanted, note));
            return new ConvertedClientValue(lease, lease.Payload, note);
        }
        catch
        {
            room.Dispose();
            throw;
        }
    }

    private static KvRecordHeader HeaderOf(ClientTarget target, KvLayout wanted, ReadOnlyMemory<byte> note) =>
        new(wanted, target.Chunk.Model, 0, target.Chunk.Hash, target.Chunk.Salt, wanted.PayloadBytes, 0)
        {
            ClientKey = target.Key.Text,
            ClientNote = new Kv.Text.ByteText(note.Span),
        };

    private static KvLayout[] LayoutsOf(ChunkLease chunk)
    {
        var layouts = new KvLayout[chunk.Shards.Count];
        for (var index = 0; index < layouts.Length; index++)
        {
            layouts[index] = chunk.Shards[index].Layout;
        }
        return layouts;
    }

    /// <summary>Says something of a pair of layouts the first time that it is met.</summary>
    public void SayOnce(KvLayout from, KvLayout to, Action say)
    {
        if (!_said.ContainsKey((from, to)) && _said.Count < SaidMax && _said.TryAdd((from, to), true))
        {
            say();
        }
    }
}
