using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Tiers;

/// <summary>A record that a tier holds, before it is read.</summary>
/// <param name="Family">Equal for shards that belong together: one layout but for the span of heads.</param>
/// <param name="FirstHead">First KV head of the shard, 0-based in the whole model.</param>
/// <param name="Heads">Heads of the shard.</param>
/// <param name="ModelHeads">Heads of the whole model.</param>
/// <param name="RecordBytes">Header and payload.</param>
/// <param name="Location">The tier's own name for it.</param>
public sealed record TierRecord(
    KvKey Key, ulong Family, int FirstHead, int Heads, int ModelHeads, int RecordBytes, string Location)
{
    /// <summary>The layout that <see cref="Family"/> stands for, heads widened to the whole model, from a tier that knows it without reading the record; null from others.</summary>
    public KvLayout? FamilyLayout { get; init; }
}
