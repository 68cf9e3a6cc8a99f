namespace Ferry.Cluster.Planning;

/// <summary>Everything that follows from a specification without running anything.</summary>
public sealed record CapacityPlan
{
    public required string Cluster { get; init; }

    public required string Model { get; init; }

    public required int PromptTokens { get; init; }

    public required int OutputTokens { get; init; }

    public required long WeightBytes { get; init; }

    public required long KvBytesPerToken { get; init; }

    /// <summary>KV of a typical prompt.</summary>
    public required long PromptKvBytes { get; init; }

    public required int ChunkTokens { get; init; }

    public required long ChunkBytes { get; init; }

    /// <summary>Objects that a typical prompt is in a shared tier: chunks of every rank of the first prefill pool.</summary>
    public required long PromptObjects { get; init; }

    public required IReadOnlyList<PoolFigures> Pools { get; init; }

    public required IReadOnlyList<TierFigures> Tiers { get; init; }

    public required IReadOnlyList<TransferFigures> Transfers { get; init; }

    public required BalanceFigures Balance { get; init; }

    /// <summary>Null when the file has no prices, or none for some pool.</summary>
    public required CostFigures? Cost { get; init; }

    /// <summary>What does not fit.</summary>
    public required IReadOnlyList<Verdict> Capacity { get; init; }
}
