using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>Computes a <see cref="CapacityPlan"/>: closed formulas, no run. Every formula and the source of every number: docs/planning.md.</summary>
public static class CapacityPlanner
{
    /// <exception cref="PlanException">The model's shape is not known.</exception>
    public static CapacityPlan Plan(ClusterSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var model = ModelFigures.Of(spec.Model);
        NodeModel[] nodes = [.. spec.Pools.Select(pool => new NodeModel(spec, pool, model))];
        PoolFigures[] pools = [.. nodes.Select(node => Pool(spec, node, model))];
        var transfers = TransferPlanner.Plan(spec, model, nodes, pools);
        var balance = BalancePlanner.Plan(spec, model, nodes, pools, transfers[0]);
        return new CapacityPlan
        {
            Cluster = spec.Name,
            Model = spec.Model.Id,
            PromptTokens = spec.Plan.PromptTokens,
            OutputTokens = spec.Plan.OutputTokens,
            WeightBytes = model.WeightBytes,
            KvBytesPerToken = model.KvBytesPerToken,
            PromptKvBytes = model.KvBytesPerToken * spec.Plan.PromptTokens,
            ChunkTokens = spec.Cache.ChunkTokens,
            ChunkBytes = model.KvBytesPerToken * spec.Cache.ChunkTokens,
            PromptObjects = Ceiling(spec.Plan.PromptTokens, spec.Cache.ChunkTokens) * (spec.PrefillPools.FirstOrDefault()?.TensorParallel ?? 1),
            Pools = pools,
            Tiers = TierPlanner.Plan(spec, model, nodes),
            Transfers = transfers,
            Balance = balance,
            Cost = Cost(spec, balance),
            Capacity = CapacityVerdicts.Of(spec, pools),
        };
    }

    /// <summary>Whole units of <paramref name="unit"/> that <paramref name="count"/> needs.</summary>
    internal static long Ceiling(long count, long unit) => (count + unit - 1) / unit;

    private static PoolFigures Pool(ClusterSpec spec, NodeModel node, ModelFigures model)
    {
        var (pool, prompt, output) = (node.Pool, spec.Plan.PromptTokens, spec.Plan.OutputTokens);
        var prefillSeconds = node.PrefillSeconds(prompt);
        var tokensPerSecond = prompt / prefillSeconds;
        // Half of the output is there on average while a sequence decodes.
        var averageTokens = prompt + (output / 2.0);
        var sequences = spec.Plan.ConcurrentSequences ?? (int)Math.Clamp(node.KvTokens / (double)(prompt + output), 0, pool.Limits.Sequences);
        var step = node.StepSeconds(sequences, sequences * averageTokens);
        var blockTokens = spec.BlockTokensOf(pool);
        return new PoolFigures
        {
            Pool = pool.Name,
            Role = pool.Role,
            Accelerator = pool.Accelerator,
            Nodes = pool.Nodes.Count,
            Ranks = node.Ranks,
            BlockTokens = blockTokens,
            WeightBytesPerRank = node.WeightBytesPerRank,
            KvBytesPerRank = node.KvBytesPerRank,
            KvBytesPerTokenAndRank = node.KvBytesPerTokenAndRank,
            KvTokens = node.KvTokens,
            FullLengthSequences = node.KvTokens / (double)spec.Model.MaxLength,
            SequenceLimit = pool.Limits.Sequences,
            KvBytesPerRankAtLimit = (long)pool.Limits.Sequences * spec.Model.MaxLength * node.KvBytesPerTokenAndRank,
            AverageTokensAtLimit = node.KvTokens / (double)pool.Limits.Sequences,
            NixlHostBytes = node.KvBytesPerRank * node.Ranks,
            DescriptorsPerRank = model.Shape.Layers * Ceiling(prompt, blockTokens) * (node.Profile.KvPacking == BlockPacking.Split ? 2 : 1),
            PrefillSeconds = prefillSeconds,
            PrefillTokensPerSecond = tokensPerSecond,
            KvBytesPerSecond = tokensPerSecond * model.KvBytesPerToken,
            DecodeSequences = sequences,
            WeightStepSeconds = node.WeightStepSeconds,
            DecodeStepSeconds = step,
            DecodeTokensPerSecond = sequences / step,
            LeasedTokens = tokensPerSecond * spec.Handover.LeaseSeconds,
        };
    }

    private static CostFigures? Cost(ClusterSpec spec, BalanceFigures balance)
    {
        if (spec.Plan.Prices.Count == 0 || spec.Pools.Any(pool => !spec.Plan.Prices.ContainsKey(pool.Name)))
        {
            return null;
        }
        var perHour = spec.Pools.Sum(pool => spec.Plan.Prices[pool.Name] * pool.Nodes.Count);
        var load = Math.Min(spec.Plan.RequestsPerSecond ?? balance.RequestsPerSecond, balance.RequestsPerSecond);
        var together = Math.Min(spec.Plan.RequestsPerSecond ?? balance.TogetherRequestsPerSecond, balance.TogetherRequestsPerSecond);
        double tokens = spec.Plan.PromptTokens + spec.Plan.OutputTokens;
        return new CostFigures(
            perHour, load, PerMillion(perHour, load * tokens), PerMillion(perHour, load * spec.Plan.OutputTokens), PerMillion(perHour, together * tokens));
    }

    private static double PerMillion(double perHour, double tokensPerSecond) => tokensPerSecond > 0 ? perHour / (tokensPerSecond * 3600) * 1e6 : 0;
}
