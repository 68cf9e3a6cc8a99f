using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>How the hits of one cache grow with its size.</summary>
public static class HitCurve
{
    /// <summary>Capacities from 1 GiB on, doubled until everything fits.</summary>
    public static IReadOnlyList<HitPoint> Of(Trace trace, long tokenBytes, CachePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(trace);
        var points = new List<HitPoint>();
        var blockBytes = tokenBytes * Trace.BlockTokens;
        var blocks = Math.Max(1, (1L << 30) / blockBytes);
        while (true)
        {
            points.Add(new HitPoint(blocks, blocks * blockBytes, Ratio(trace, blocks, policy)));
            if (blocks >= trace.DifferentBlocks)
            {
                return points;
            }
            blocks *= 2;
        }
    }

    /// <summary>Share of blocks found by one shared cache of <paramref name="capacityBlocks"/>.</summary>
    public static double Ratio(Trace trace, long capacityBlocks, CachePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(trace);
        var cache = BlockCache.Create(policy, capacityBlocks, trace.DifferentBlocks);
        var hits = 0L;
        for (var request = 0; request < trace.Count; request++)
        {
            hits += cache.Request(trace.BlocksOf(request));
        }
        return trace.BlockCount == 0 ? 0 : hits / (double)trace.BlockCount;
    }
}
