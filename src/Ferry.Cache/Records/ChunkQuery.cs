using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Which shards of a chunk serve the asker.</summary>
/// <param name="FirstHead">First KV head wanted, 0-based in the whole model.</param>
/// <param name="HeadCount">Heads wanted; 0 for all of the model.</param>
/// <param name="Tokens">Tokens that the chunk must carry; a record of another length is of no use and may be somebody's mistake. 0 for any.</param>
/// <param name="Preferred">Family taken before others, since it needs no conversion; null for none.</param>
/// <param name="IsUsable">Whether a family can be converted to what the asker wants; null: every one. Called under the store's lock: quick, and without calling back.</param>
public sealed record ChunkQuery(
    int FirstHead, int HeadCount, int Tokens, KvLayout? Preferred = null, Func<KvLayout, bool>? IsUsable = null)
{
    /// <summary>Asks for the chunk's opaque record, whatever its length. Opaque records serve this query alone, and it takes nothing else: nobody can say what their bytes mean.</summary>
    public static ChunkQuery Opaque { get; } = new(0, 0, 0) { WantsOpaque = true };

    public bool WantsOpaque { get; init; }

    /// <summary>Whether a record of this layout may serve at all, its heads apart.</summary>
    public bool Takes(KvLayout layout) => layout.IsOpaque == WantsOpaque && (WantsOpaque || Tokens == 0 || layout.Tokens == Tokens);
}
