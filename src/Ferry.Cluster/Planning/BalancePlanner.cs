using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>What the two sides carry together, and whether keeping them apart pays.</summary>
internal static class BalancePlanner
{
    public static BalanceFigures Plan(ClusterSpec spec, ModelFigures model, NodeModel[] nodes, PoolFigures[] pools, TransferFigures link)
    {
        var (prompt, output) = (spec.Plan.PromptTokens, spec.Plan.OutputTokens);
        var cached = (long)(prompt * spec.Plan.PrefixHitRatio);
        // Seconds of a node that one request costs: its prefill alone; its share of a decode batch.
        double PrefillCost(int pool) => nodes[pool].PrefillSeconds(prompt, cached);
        double DecodeCost(int pool) => pools[pool].DecodeSequences > 0 ? output * pools[pool].DecodeStepSeconds / pools[pool].DecodeSequences : double.PositiveInfinity;
        double Rate(PoolRole role, Func<int, double> cost) => Enumerable.Range(0, pools.Length).Where(pool => pools[pool].Role == role).Sum(pool => pools[pool].Nodes / cost(pool));

        var (prefill, decode) = (Rate(PoolRole.Prefill, PrefillCost), Rate(PoolRole.Decode, DecodeCost));
        var (eitherPrefill, eitherDecode) = (Rate(PoolRole.Both, PrefillCost), Rate(PoolRole.Both, DecodeCost));
        if (eitherPrefill > 0 && eitherDecode > 0)
        {
            // Nodes of role both give that share of their time to prefill which makes the two sides equal.
            var share = Math.Clamp((decode + eitherDecode - prefill) / (eitherPrefill + eitherDecode), 0, 1);
            (prefill, decode) = (prefill + (share * eitherPrefill), decode + ((1 - share) * eitherDecode));
        }
        var network = Network(spec, model, pools);
        (double Rate, string Name)[] sides = [(prefill, "prefill"), (decode, "decode"), (network ?? double.PositiveInfinity, "network")];
        var (least, bottleneck) = sides.MinBy(side => side.Rate);
        var together = Enumerable.Range(0, pools.Length).Sum(pool => pools[pool].Nodes / (PrefillCost(pool) + DecodeCost(pool)));
        var (first, last) = (Array.FindIndex(pools, pool => pool.Role != PoolRole.Decode), Array.FindLastIndex(pools, pool => pool.Role != PoolRole.Prefill));
        var figures = new BalanceFigures(
            prefill, decode, network, least, bottleneck, double.IsFinite(DecodeCost(last)) ? PrefillCost(first) / DecodeCost(last) : 0, together, []);
        return figures with { Verdicts = DisaggregationVerdicts.Of(spec, figures, pools[first], pools[last], nodes[first], nodes[last], link) };
    }

    /// <summary>Hand-overs a second that the network of the side with fewer nodes carries; null where none is needed.</summary>
    private static double? Network(ClusterSpec spec, ModelFigures model, PoolFigures[] pools)
    {
        if (!spec.IsDisaggregated)
        {
            return null;
        }
        var perNode = spec.Transport.BytesPerSecondOrUsual / ((double)model.KvBytesPerToken * spec.Plan.PromptTokens);
        var senders = pools.Where(pool => pool.Role != PoolRole.Decode).Sum(pool => pool.Nodes);
        var receivers = pools.Where(pool => pool.Role != PoolRole.Prefill).Sum(pool => pool.Nodes);
        return Math.Min(senders, receivers) * perNode;
    }
}
