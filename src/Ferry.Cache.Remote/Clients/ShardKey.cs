using System.Buffers;
using System.Text.Unicode;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A client's key that names a shard of a chunk, whichever grammar of LMCache it is in.</summary>
/// <param name="Salt">The tenant; empty for none.</param>
/// <param name="DType">As the key spells it; null where the grammar has none.</param>
/// <param name="Layer">0-based, for clients that store layer by layer; null for whole chunks.</param>
/// <param name="Distinction">What else tells this key from others of the same chunk and rank; empty for most.</param>
/// <param name="IsOfEngine">Printed by LMCache inside the engine; false for its daemon.</param>
internal sealed record ShardKey(string Model, int WorldSize, int Rank, ChunkHash Hash, string Salt, string? DType, int? Layer, string Distinction, bool IsOfEngine)
{
    /// <summary>As many bytes as the grammars take characters.</summary>
    private const int KeyBytesMax = 1024;

    /// <summary>Reads either grammar; null for any other key.</summary>
    public static ShardKey? TryParse(ReadOnlySpan<byte> key)
    {
        if (!key.Contains((byte)'@'))
        {
            return null; // No key of LMCache, and most keys of others: not worth a string.
        }
        if (key.Length > KeyBytesMax)
        {
            return null;
        }
        Span<char> decoded = stackalloc char[key.Length]; // Once for both grammars.
        if (Utf8.ToUtf16(key, decoded, out _, out var characters, replaceInvalidSequences: false) != OperationStatus.Done)
        {
            return null;
        }
        ReadOnlySpan<char> text = decoded[..characters];
        return LmCacheObjectKey.TryParse(text) is { } daemon ? Of(daemon) : LmCacheKey.TryParse(text) is { } engine ? Of(engine) : null;
    }

    private static ShardKey Of(LmCacheKey key) => new(
        key.Model, key.WorldSize, key.WorkerId, key.Hash, "", key.DType, key.Layer,
        key.Format is null && key.Tags.Count == 0 ? "" : $"{key.Format}@{string.Join('@', key.Tags)}", IsOfEngine: true);

    // No group is the older generation's only one, which is group 0 today.
    private static ShardKey Of(LmCacheObjectKey key) => new(
        key.Model, key.Rank.WorldSize, key.Rank.GlobalRank, key.Hash, key.Salt, null, null, key.Group is null or 0 ? "" : $"group {key.Group}", IsOfEngine: false);
}
