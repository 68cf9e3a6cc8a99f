using Ferry.Kv.Metrics;

namespace Ferry.Engine.Generation;

/// <summary>Totals since the start, written by the engine's thread.</summary>
internal sealed class EngineCounters
{
    public long PrefixCacheQueries;
    public long PrefixCacheHits;
    public long ExternalQueries;
    public long ExternalHits;
    public long PromptTokens;
    public long PromptTokensLocalHit;
    public long PromptTokensExternal;
    public long GenerationTokens;
    public long Steps;
    public long StepTokens;
    public readonly long[] StepsByTokens = new long[MetricBuckets.StepTokens.Count + 1];
    public long RefusedLoads;
    public readonly long[] Finished = new long[Enum.GetValues<FinishReason>().Length];

    public void StepRan(int tokenCount)
    {
        Steps++;
        StepTokens += tokenCount;
        var bucket = 0;
        while (bucket < MetricBuckets.StepTokens.Count && tokenCount > MetricBuckets.StepTokens[bucket])
        {
            bucket++;
        }
        StepsByTokens[bucket]++;
    }
}
