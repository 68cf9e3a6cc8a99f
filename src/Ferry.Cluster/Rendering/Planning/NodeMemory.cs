using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>How the memory that a node gives to the cache is divided between its exchange and the pools of LMCache, of which every rank has one.</summary>
/// <param name="ExchangeBytes">Memory tier of the exchange on this node.</param>
/// <param name="RankBytes">LMCache's pool of one rank.</param>
internal sealed record NodeMemory(long ExchangeBytes, long RankBytes)
{
    private const long Step = 64L << 20;
    private const long UnknownPromptBytes = 512L << 20;

    /// <summary>
    /// LMCache takes its sizes for each rank. Beside an exchange the ranks only stage what is on its way: a prompt of full
    /// length and a quarter, and the exchange has the rest; it never gets less than half.
    /// </summary>
    public static NodeMemory Of(PlanContext context, PoolSpec pool)
    {
        var ranks = pool.TensorParallel;
        var node = context.Spec.CacheOf(pool).MemoryBytes;
        var prompt = Sizes.PromptBytesPerRank(context.Spec.Model, ranks) ?? UnknownPromptBytes;
        var wanted = Sizes.RoundUp(prompt + (prompt / 4), Step);
        var rank = Math.Min(wanted, node / 2 / ranks);
        if (rank < prompt)
        {
            context.Warn($"Pool {pool.Name}: {Sizes.Exact(Sizes.RoundDown(node, 1 << 20))} of cache memory leave LMCache {Sizes.Gib(rank)} GiB a rank, less than the {Sizes.Gib(Sizes.RoundUp(prompt, 1 << 20))} GiB of one prompt of " +
                $"{context.Spec.Model.MaxLength} tokens: its first chunks are gone before its last ones are there. Raise cache.memory of the pool to {Sizes.Exact(Sizes.RoundUp(2 * prompt * ranks, 1 << 30))}, or lower model.maxLength.");
        }
        rank = Math.Max(Sizes.RoundDown(rank, 1 << 20), 1 << 20);
        return new NodeMemory(Sizes.RoundDown(node - (rank * ranks), 1 << 20), rank);
    }
}
