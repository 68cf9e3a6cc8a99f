namespace Ferry.Cluster.Planning.Simulation;

/// <summary>What became of a trace on a cluster.</summary>
public sealed record SimulationResult
{
    public required int Requests { get; init; }

    /// <summary>Longer than model.maxLength, or than all KV of a node: the engine refuses them.</summary>
    public required int Refused { get; init; }

    public required int Served { get; init; }

    /// <summary>From the first arrival to the last token.</summary>
    public required double Seconds { get; init; }

    public required double RequestsPerSecond { get; init; }

    public required long PromptTokens { get; init; }

    public required long OutputTokens { get; init; }

    /// <summary>By source; the last is what was computed. Their tokens sum to <see cref="PromptTokens"/>.</summary>
    public required IReadOnlyList<TierHits> Tiers { get; init; }

    /// <summary>Arrival to first token.</summary>
    public required LatencyFigures FirstToken { get; init; }

    /// <summary>Time of an output token after the first, averaged over a request.</summary>
    public required LatencyFigures PerToken { get; init; }

    public required LatencyFigures EndToEnd { get; init; }

    /// <summary>End of prefill to KV on the decode node; of requests that were handed over.</summary>
    public required LatencyFigures HandOver { get; init; }

    public required int HandedOver { get; init; }

    /// <summary>KV that hand-overs had to move: prompts less what decode nodes had.</summary>
    public required double MovedBytes { get; init; }

    /// <summary>What the networks of the senders counted; equals <see cref="MovedBytes"/>.</summary>
    public required double SentBytes { get; init; }

    /// <summary>What the networks of the receivers counted.</summary>
    public required double ReceivedBytes { get; init; }

    public required IReadOnlyList<PoolUse> Pools { get; init; }
}
