using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Serving.Exchange.Push;

/// <summary>A piece of a prompt whose layers are copied out one by one while they are computed. The engine's thread only.</summary>
/// <param name="shards">One for each distinct layout; the room is owned from now on.</param>
internal sealed class LayeredSave(KvKey key, int firstToken, int tokenCount, int layerCount, IReadOnlyList<(int Rank, KvLayout Layout, RecordReservation Room)> shards) : IDisposable
{
    public KvKey Key { get; } = key;

    public int FirstToken { get; } = firstToken;

    public int TokenCount { get; } = tokenCount;

    public int LayerCount { get; } = layerCount;

    public IReadOnlyList<(int Rank, KvLayout Layout, RecordReservation Room)> Shards { get; } = shards;

    /// <summary>Layers that are copied out.</summary>
    public int LayersDone { get; set; }

    /// <summary>The same bytes, for whoever pushes them.</summary>
    public PushedChunk ToPushed() => new(
        Key, [.. Shards.Select(shard => new PushedShard(shard.Room.ArenaOffset, shard.Room.Record.Length))], LayerCount,
        // A reference of its own: when the piece turns out to be there already, its room is given up while its bytes may still be on their way.
        [.. Shards.Select(shard => (IDisposable)shard.Room.Record.Pin())]);

    /// <summary>Where a layer of a shard goes.</summary>
    public Span<byte> LayerOf(int shard, int layer)
    {
        var payload = Shards[shard].Room.Payload.Span;
        var layerBytes = payload.Length / LayerCount;
        return payload.Slice(layer * layerBytes, layerBytes);
    }

    /// <summary>Makes the whole piece visible.</summary>
    public List<RecordLease> Commit() =>
        [.. Shards.Select(shard => shard.Room.Commit(new KvRecordHeader(shard.Layout, Key.Model, FirstToken, Key.Hash, Key.Salt, shard.Layout.PayloadBytes, 0)))];

    public void Dispose()
    {
        foreach (var (_, _, room) in Shards)
        {
            room.Dispose();
        }
    }
}
