namespace Ferry.Cluster.Planning.Simulation;

/// <summary>How far along a prompt's cached blocks loading beats computing, and what that takes.</summary>
/// <param name="tokenBytes">KV of a token, all ranks.</param>
internal sealed class PrefillLoad(long tokenBytes, double sharedLatencySeconds)
{
    private const int Tiers = 5;

    private readonly long[] _tokens = new long[Tiers];
    private readonly long[] _best = new long[Tiers];

    /// <summary>Tokens by <see cref="SimulationTier"/> of the last <see cref="Plan"/>; what no tier gives is computed.</summary>
    public ReadOnlySpan<long> Tokens => _best;

    public double LoadSeconds { get; private set; }

    /// <summary>Seconds of loads and computation together, the least that some prefix of what is cached allows.</summary>
    public double Plan(SimulatedNode node, in TierRates rates, BlockCache? shared, ReadOnlySpan<int> blocks, int inputTokens)
    {
        Array.Clear(_tokens);
        (var least, LoadSeconds) = (node.Model.PrefillSeconds(inputTokens), 0);
        SetBest(inputTokens, 0);
        var (cached, load) = (0, 0.0);
        for (var index = 0; index < blocks.Length && cached < inputTokens - 1; index++)
        {
            var tier = node.Caches.Find(blocks[index], shared);
            if (tier == SimulationTier.Computed)
            {
                break;
            }
            var tokens = Math.Min(Trace.BlockTokens, inputTokens - 1 - cached);
            if (tier == SimulationTier.Shared && _tokens[(int)tier] == 0)
            {
                load += sharedLatencySeconds;
            }
            _tokens[(int)tier] += tokens;
            cached += tokens;
            load += tier == SimulationTier.Device ? 0 : tokens * (double)tokenBytes / Rate(rates, tier);
            var isLastOfTier = index + 1 == blocks.Length || cached == inputTokens - 1 || node.Caches.Find(blocks[index + 1], shared) != tier;
            if (isLastOfTier && load + node.Model.PrefillSeconds(inputTokens, cached) is var seconds && seconds < least)
            {
                (least, LoadSeconds) = (seconds, load);
                SetBest(inputTokens, cached);
            }
        }
        return least;
    }

    private static double Rate(in TierRates rates, SimulationTier tier) => tier switch
    {
        SimulationTier.Memory => rates.Memory,
        SimulationTier.Disk => rates.Disk,
        _ => rates.Storage,
    };

    private void SetBest(int inputTokens, int cached)
    {
        _tokens.CopyTo(_best, 0);
        _best[(int)SimulationTier.Computed] = inputTokens - cached;
    }
}
