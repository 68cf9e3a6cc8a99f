using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Answers whether the tiers below memory have what serves a key, reading no payload where the record's name says enough.</summary>
internal sealed class TierFinder(RecordCache cache)
{
    private static readonly KvDType[] DTypes = Enum.GetValues<KvDType>();
    private static readonly KvOrder[] Orders = [KvOrder.TwoLtd, KvOrder.T2d];

    /// <summary>Whether some tier has the record of a key's bytes.</summary>
    public async Task<bool> HasOpaqueAsync(KvKey key, CancellationToken cancellationToken)
    {
        foreach (var tier in cache.Tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Read) && (await tier.FindAsync(key, cancellationToken)).Count > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether some tier has shards of a chunk that serve the query.</summary>
    /// <param name="shape">Whose records they probably are.</param>
    /// <param name="serves">Whether shards of these layouts are of use.</param>
    public async Task<bool> HasShardsAsync(
        KvKey chunk, ClientShape shape, ChunkQuery query, Func<KvLayout[], bool> serves, CancellationToken cancellationToken)
    {
        var unknown = false;
        foreach (var tier in cache.Tiers)
        {
            if (!tier.Capabilities.HasFlag(TierCapabilities.Read))
            {
                continue;
            }
            var found = await tier.FindAsync(chunk, cancellationToken);
            foreach (var family in found.GroupBy(record => (record.Family, record.ModelHeads)))
            {
                switch (Judge([.. family], shape, query, serves))
                {
                    case true: return true;
                    case null: unknown = true; break;
                    default: break;
                }
            }
        }
        if (!unknown)
        {
            return false;
        }
        // A layout that the names do not give away, such as one of ferry serve's own: only its header tells. The chunk is wanted soon anyway.
        using var hit = await cache.TryGetAsync(chunk, query, cancellationToken);
        return hit is not null && serves([.. hit.Chunk.Shards.Select(shard => shard.Layout)]);
    }

    /// <summary>Null where only reading would tell.</summary>
    private static bool? Judge(TierRecord[] family, ClientShape shape, ChunkQuery query, Func<KvLayout[], bool> serves)
    {
        var chosen = new List<int>();
        if (!ShardCover.TryChoose(Array.ConvertAll(family, record => (record.FirstHead, record.Heads)), query.FirstHead, query.HeadCount, chosen))
        {
            return false;
        }
        var layouts = new KvLayout[chosen.Count];
        for (var index = 0; index < layouts.Length; index++)
        {
            if (Identify(family[chosen[index]], shape) is not { } layout)
            {
                return null;
            }
            layouts[index] = layout;
        }
        return query.Takes(layouts[0]) && query.IsUsable?.Invoke(ShardCover.FamilyOf(layouts[0])) != false && serves(layouts);
    }

    /// <summary>The layout of a client's record, by the tier's word or from its length and its name; null for one that is none of those.</summary>
    private static KvLayout? Identify(TierRecord record, ClientShape shape)
    {
        if (record.FamilyLayout is { } told)
        {
            return told with { FirstHead = record.FirstHead, Heads = record.Heads };
        }
        foreach (var dtype in DTypes)
        {
            var token = shape.ForHeads(record.FirstHead, record.Heads, dtype);
            var payloadBytes = record.RecordBytes - (long)KvRecord.HeaderBytes;
            if (payloadBytes <= 0 || payloadBytes % token.PayloadBytes != 0 || payloadBytes / token.PayloadBytes > KvLayout.MaxTokens)
            {
                continue;
            }
            foreach (var order in Orders)
            {
                var layout = token with { Order = order, Tokens = (int)(payloadBytes / token.PayloadBytes) };
                if (RecordPath.FamilyDigest(layout) == record.Family)
                {
                    return layout;
                }
            }
        }
        return null;
    }
}
