namespace Ferry.Engine.Generation;

/// <summary>What vLLM's metrics of the same names count. Totals grow from the start of the engine; the others are of this moment.</summary>
public sealed record EngineStats
{
    /// <summary>Sequences (choices) in the running batch.</summary>
    public int Running { get; init; }

    /// <summary>Sequences that wait for a place, pre-empted ones included.</summary>
    public int Waiting { get; init; }

    /// <summary>Of <see cref="Waiting"/>: those whose KV is on its way from outside (vLLM: reason "deferred").</summary>
    public int WaitingForRemoteKv { get; init; }

    /// <summary>Share of blocks that running sequences hold, 0..1.</summary>
    public double KvUsage { get; init; }

    /// <summary>Prompt tokens looked up in the engine's own prefix cache.</summary>
    public long PrefixCacheQueries { get; init; }

    public long PrefixCacheHits { get; init; }

    /// <summary>Prompt tokens asked from the connector: those that the prefix cache did not have.</summary>
    public long ExternalPrefixCacheQueries { get; init; }

    public long ExternalPrefixCacheHits { get; init; }

    public long Preemptions { get; init; }

    /// <summary>Prompt tokens of all sequences that were admitted, wherever their KV came from.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Of <see cref="PromptTokens"/>: computed here, or about to be.</summary>
    public long PromptTokensComputed { get; init; }

    /// <summary>Of <see cref="PromptTokens"/>: from the engine's own prefix cache.</summary>
    public long PromptTokensLocalHit { get; init; }

    /// <summary>Of <see cref="PromptTokens"/>: through the connector.</summary>
    public long PromptTokensExternal { get; init; }

    public long GenerationTokens { get; init; }

    /// <summary>Steps of the loop that ran the model.</summary>
    public long Steps { get; init; }

    /// <summary>Tokens that those steps computed, of prompts and of answers.</summary>
    public long StepTokens { get; init; }

    /// <summary>The steps by their number of tokens: one count for each bucket of <see cref="Kv.Metrics.MetricBuckets.StepTokens"/>, and one for more.</summary>
    public IReadOnlyList<long> StepsByTokens { get; init; } = new long[Kv.Metrics.MetricBuckets.StepTokens.Count + 1];

    /// <summary>Loads that brought wrong sizes or a gap and were refused.</summary>
    public long RefusedLoads { get; init; }

    public long FinishedStop { get; init; }

    public long FinishedLength { get; init; }

    public long FinishedAbort { get; init; }

    public long FinishedError { get; init; }
}
