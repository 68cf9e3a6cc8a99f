using Ferry.Cache.Tiers;

namespace Ferry.Cache.Chains;

/// <summary>Compares loading chunks with computing them: from the measured latency and rate of each tier, and from what the engine says of itself. Thread-safe.</summary>
/// <remarks>
/// The engine can use only a prefix, so of all prefixes the one is chosen for which loading it and computing the rest takes least. A tier found too slow is
/// tried again after <see cref="RecordCacheOptions.ProbeAfter"/>: a decision that nothing refutes would stand for ever.
/// </remarks>
internal sealed class LoadAdvisor(RecordCacheOptions options, TimeProvider time)
{
    private readonly long[] _byReason = new long[Enum.GetValues<LoadReason>().Length];
    private double _tokensPerSecond;

    /// <summary>Tokens that the engine computes in a second; 0 while nobody has said it.</summary>
    public double TokensPerSecond { get => Volatile.Read(ref _tokensPerSecond); set => Volatile.Write(ref _tokensPerSecond, value); }

    public long CountOf(LoadReason reason) => Volatile.Read(ref _byReason[(int)reason]);

    /// <param name="links">The usable prefix.</param>
    public LoadDecision Decide(ReadOnlySpan<ChainLink> links)
    {
        var decision = Compare(links);
        Interlocked.Increment(ref _byReason[(int)decision.Reason]);
        return decision;
    }

    private LoadDecision Compare(ReadOnlySpan<ChainLink> links)
    {
        var inMemory = 0;
        while (inMemory < links.Length && links[inMemory].Tier is null)
        {
            inMemory++;
        }
        if (inMemory == links.Length)
        {
            return new LoadDecision(links.Length, LoadReason.NothingToLoad, null, null);
        }
        var rate = TokensPerSecond;
        if (!options.LoadOnlyIfCheaper || rate <= 0)
        {
            return new LoadDecision(links.Length, options.LoadOnlyIfCheaper ? LoadReason.NoEngineRate : LoadReason.SwitchedOff, null, null);
        }
        foreach (var link in links)
        {
            if (link.Tokens == 0 || link.Tier is { Meter.IsMeasured: false })
            {
                return new LoadDecision(links.Length, LoadReason.NoTierRate, null, null);
            }
        }
        return Compare(links, inMemory, rate);
    }

    private LoadDecision Compare(ReadOnlySpan<ChainLink> links, int inMemory, double tokensPerSecond)
    {
        var tokensLeft = 0L;
        for (var index = inMemory; index < links.Length; index++)
        {
            tokensLeft += links[index].Tokens;
        }
        var compute = tokensLeft / tokensPerSecond;
        var (best, bestSeconds, loadSeconds) = (inMemory, compute, 0.0);
        var last = default(GuardedTier);
        for (var index = inMemory; index < links.Length; index++)
        {
            if (links[index].Tier is { } tier)
            {
                var rates = tier.Meter.Rates;
                // One latency for each run in one tier: its chunks are read side by side.
                loadSeconds += (ReferenceEquals(tier, last) ? 0 : rates.Latency.TotalSeconds) + (links[index].Bytes / (rates.BytesPerSecond * Math.Min(options.ReadsPerChain, links.Length - inMemory)));
                last = tier;
            }
            tokensLeft -= links[index].Tokens;
            var seconds = loadSeconds + (tokensLeft / tokensPerSecond);
            if (seconds < bestSeconds)
            {
                (best, bestSeconds) = (index + 1, seconds);
            }
        }
        var (load, all) = (TimeSpan.FromSeconds(loadSeconds), TimeSpan.FromSeconds(compute));
        if (best == links.Length)
        {
            return new LoadDecision(best, LoadReason.LoadingIsFaster, load, all);
        }
        if (links[best].Tier is { } refused && refused.Meter.TryClaimProbe(options.ProbeAfter, time))
        {
            return new LoadDecision(links.Length, LoadReason.Probe, load, all);
        }
        return new LoadDecision(best, best == inMemory ? LoadReason.ComputingIsFaster : LoadReason.LoadingInPartIsFaster, load, all);
    }
}
