using Ferry.Kv.Keys;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Where the values of a key are: always under its own name, as bytes; with a model card also as shards of a chunk.</summary>
/// <param name="Key">As the client gave it.</param>
/// <param name="Opaque">The record of its bytes. For keys of LMCache's engine, whose values have metadata, that with metadata.</param>
/// <param name="Chunk">The chunk's records; meaningless without <paramref name="Shape"/>.</param>
/// <param name="Shape">Null where no card speaks of the key's model, or it cannot be converted.</param>
/// <param name="OtherModels">What stands in <paramref name="Chunk"/>'s fingerprint for each layer, or for the whole chunk where the key names a layer; empty where the two do not look for each other.</param>
internal readonly record struct ClientTarget(ClientKey Key, KvKey Opaque, KvKey Chunk, ClientShape? Shape, IReadOnlyList<UInt128> OtherModels)
{
    /// <summary>For a whole key of LMCache's engine also the record without metadata, which some other client may have put; else null. Made when asked for: few are.</summary>
    public KvKey? Bare => Key is { Shard: { IsOfEngine: true } shard, Part: ClientKeyPart.Whole } ? ClientKeys.Opaque(Key.Text.Span, shard.Salt) : null;

    /// <summary>The record of bytes that come with this metadata, or without.</summary>
    public KvKey OpaqueFor(bool hasNote) => !hasNote && Bare is { } bare ? bare : Opaque;
}
