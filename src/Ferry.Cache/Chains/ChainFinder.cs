using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Chains;

/// <summary>Looks for the chunks of a chain that memory lacks in the tiers below it, many at a time.</summary>
internal sealed class ChainFinder(IReadOnlyList<GuardedTier> tiers, RecordCacheOptions options)
{
    /// <summary>Fills what is missing in <paramref name="links"/>, up to the first chunk that nobody has.</summary>
    public async Task FindAsync(ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, ChainLink[] links, CancellationToken cancellationToken)
    {
        var missing = new List<int>();
        for (var index = 0; index < links.Length; index++)
        {
            if (!links[index].IsFound)
            {
                missing.Add(index);
            }
        }
        for (var first = 0; first < missing.Count; first += options.FindsPerCall)
        {
            var wanted = missing.GetRange(first, Math.Min(options.FindsPerCall, missing.Count - first));
            foreach (var tier in tiers)
            {
                if (wanted.Count > 0 && tier.Capabilities.HasFlag(TierCapabilities.Read))
                {
                    await FindAsync(tier, keys, queryOf, links, wanted, cancellationToken);
                    wanted.RemoveAll(index => links[index].IsFound);
                }
            }
            if (wanted.Count > 0)
            {
                return; // The prefix ends here, whatever lies behind.
            }
        }
    }

    /// <summary>The sets of records that cover the query's heads, each of one family.</summary>
    public static IReadOnlyList<IReadOnlyList<TierRecord>> Choose(IReadOnlyList<TierRecord> found, ChunkQuery query)
    {
        if (found.Count == 0)
        {
            return [];
        }
        var families = new List<IReadOnlyList<TierRecord>>();
        foreach (var family in found.GroupBy(record => (record.Family, record.ModelHeads)))
        {
            var members = family.ToArray();
            var chosen = new List<int>();
            var headCount = query.HeadCount == 0 ? family.Key.ModelHeads : query.HeadCount;
            if (ShardCover.TryChoose(Array.ConvertAll(members, record => (record.FirstHead, record.Heads)), query.FirstHead, headCount, chosen))
            {
                families.Add(chosen.ConvertAll(index => members[index]));
            }
        }
        return families;
    }

    private static async Task FindAsync(
        GuardedTier tier, ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, ChainLink[] links, List<int> wanted, CancellationToken cancellationToken)
    {
        var found = await tier.FindManyAsync(wanted.ConvertAll(index => keys.Span[index]), cancellationToken);
        for (var at = 0; at < wanted.Count; at++)
        {
            var query = queryOf(wanted[at]);
            if (Choose(found[at], query) is { Count: > 0 } families)
            {
                links[wanted[at]] = new ChainLink(false, tier, families, query.Tokens);
            }
        }
    }
}
