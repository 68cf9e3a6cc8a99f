using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Makes figures of what a run counted.</summary>
internal static class SimulationReport
{
    public static SimulationResult Of(ClusterSpec spec, Trace trace, SimulatedNode[] nodes, SimulationCounts counts)
    {
        var seconds = Math.Max(counts.LastSeconds, 1e-9);
        string[] names = ["device", "memory", "disk", spec.Storage.Kind == StorageKind.None ? "shared" : spec.Storage.Kind.ToString().ToLowerInvariant(), "computed"];
        return new SimulationResult
        {
            Requests = trace.Count,
            Refused = counts.Refused,
            Served = counts.Served,
            Seconds = counts.LastSeconds,
            RequestsPerSecond = counts.Served / seconds,
            PromptTokens = counts.PromptTokens,
            OutputTokens = counts.OutputTokens,
            Tiers = [.. names.Select((name, tier) => new TierHits(name, counts.TierTokens[tier], counts.TierTokens[tier] / Math.Max(1.0, counts.PromptTokens)))],
            FirstToken = LatencyFigures.Of(counts.FirstToken, counts.Served),
            PerToken = LatencyFigures.Of(counts.PerToken, counts.Served),
            EndToEnd = LatencyFigures.Of(counts.EndToEnd, counts.Served),
            HandOver = LatencyFigures.Of(counts.HandOver, counts.HandOverCount),
            HandedOver = counts.HandedOver,
            MovedBytes = counts.MovedBytes,
            SentBytes = nodes.Sum(node => node.Outgoing.MovedBytes),
            ReceivedBytes = nodes.Sum(node => node.Incoming.MovedBytes),
            Pools = [.. spec.Pools.Select((pool, index) => Use(pool, [.. nodes.Where(node => node.Pool == index)], seconds))],
        };
    }

    private static PoolUse Use(PoolSpec pool, SimulatedNode[] nodes, double seconds)
    {
        var batchSeconds = nodes.Sum(node => node.Batch.BusySeconds);
        return new PoolUse(
            pool.Name,
            nodes.Average(node => node.PrefillBusySeconds) / seconds,
            nodes.Average(node => node.LoadSeconds) / seconds,
            nodes.Average(node => node.Batch.BusySeconds) / seconds,
            batchSeconds > 0 ? nodes.Sum(node => node.Batch.SequenceSeconds) / batchSeconds : 0,
            nodes.Average(node => node.Outgoing.BusySeconds) / seconds,
            nodes.Average(node => node.Incoming.BusySeconds) / seconds);
    }
}
