using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Chains;

/// <summary>The longest usable prefix of a chain over memory and all tiers. What is in memory is leased until this is disposed or loaded.</summary>
public sealed class ChainLookup : IDisposable
{
    private readonly ReadOnlyMemory<KvKey> _keys;
    private readonly Func<int, ChunkQuery> _queryOf;
    private readonly ChainHold _hold;
    private readonly ChainLink[]? _links; // Null when everything that was found is in memory.

    internal ChainLookup(ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, ChainHold hold, int count)
        : this(keys, queryOf, hold, count, null, new LoadDecision(count, LoadReason.NothingToLoad, null, null))
    {
    }

    internal ChainLookup(
        ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, ChainHold hold, int count, ChainLink[]? links, LoadDecision decision)
    {
        (_keys, _queryOf, _hold, _links) = (keys, queryOf, hold, links);
        (Count, Decision) = (count, decision);
        hold.ReleaseFrom(count); // Of no use without what is missing before it.
    }

    /// <summary>Chunks of the prefix, wherever they lie.</summary>
    public int Count { get; }

    /// <summary>How many of them are worth having.</summary>
    public LoadDecision Decision { get; }

    /// <summary>Chunks of the prefix that memory has.</summary>
    public int InMemoryCount
    {
        get
        {
            var count = 0;
            for (var index = 0; index < Count; index++)
            {
                count += TierOf(index) is null ? 1 : 0;
            }
            return count;
        }
    }

    /// <summary>The tier that has the chunk; null when memory has it.</summary>
    public GuardedTier? TierOf(int index) => _links?[index].Tier;

    public KvKey KeyOf(int index) => _keys.Span[index];

    public void Dispose() => _hold.Dispose();

    internal ChunkQuery QueryOf(int index) => _queryOf(index);

    internal ChainLink LinkOf(int index) => _links![index];

    /// <summary>The lease of a chunk in memory, which is the caller's from then on; null when a tier has the chunk or the lease was taken.</summary>
    internal ChunkLease? TakeLease(int index) => _hold.Take(index, KeyOf(index));
}
