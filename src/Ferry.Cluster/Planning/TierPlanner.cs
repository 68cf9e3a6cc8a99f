using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>What each tier holds, and whether loading from it beats computing.</summary>
internal static class TierPlanner
{
    public static IReadOnlyList<TierFigures> Plan(ClusterSpec spec, ModelFigures model, NodeModel[] nodes)
    {
        var tiers = new List<TierFigures>();
        foreach (var node in nodes)
        {
            var cache = spec.CacheOf(node.Pool);
            var rates = TierRates.Of(spec, node);
            // In its own memory KV is where it is needed: nothing is loaded.
            tiers.Add(Tier(spec, model, node, "device", node.KvBytesPerRank * node.Ranks, node.KvTokens, double.PositiveInfinity, 0));
            tiers.Add(Tier(spec, model, node, "memory", cache.MemoryBytes, cache.MemoryBytes / model.KvBytesPerToken, rates.Memory, 0));
            if (cache.DiskBytes > 0)
            {
                tiers.Add(Tier(spec, model, node, "disk", cache.DiskBytes, cache.DiskBytes / model.KvBytesPerToken, rates.Disk, 0));
            }
            if (spec.Storage.Kind != StorageKind.None)
            {
                var bytes = SharedBytes(spec.Storage);
                tiers.Add(Tier(spec, model, node, spec.Storage.Kind.ToString().ToLowerInvariant(), bytes, bytes / model.KvBytesPerToken, rates.Storage, spec.Plan.StorageLatencyMs / 1000));
            }
        }
        return tiers;
    }

    /// <summary>The cap of the shared tier; 0: none is known.</summary>
    public static long SharedBytes(StorageSpec storage) => storage.S3?.MaximumBytes ?? storage.Redis?.MaximumBytes ?? storage.Directory?.MaximumBytes ?? 0;

    private static TierFigures Tier(ClusterSpec spec, ModelFigures model, NodeModel node, string name, long bytes, long tokens, double rate, double latencySeconds)
    {
        var prompt = spec.Plan.PromptTokens;
        var compute = node.PrefillSeconds(prompt);
        var load = double.IsInfinity(rate) ? 0 : latencySeconds + (model.KvBytesPerToken * (double)prompt / rate);
        var perToken = (compute / prompt) - (double.IsInfinity(rate) ? 0 : model.KvBytesPerToken / rate);
        return new TierFigures(
            node.Pool.Name, name, bytes, tokens, tokens / (double)prompt, double.IsInfinity(rate) ? 0 : rate, load, compute,
            model.KvBytesPerToken * prompt / compute, perToken > 0 ? latencySeconds / perToken : null);
    }
}
