namespace Ferry.Cluster.Spec;

/// <summary>Bounds of one engine.</summary>
public sealed record LimitsSpec
{
    [SpecKey("sequences", "Sequences that run at once (--max-num-seqs).", Minimum = 1, Maximum = 1_000_000)]
    public int Sequences { get; init; } = 256;

    [SpecKey("batchedTokens", "Tokens of one step (--max-num-batched-tokens).", Minimum = 1, Maximum = 100_000_000, DefaultText = "the engine's")]
    public int? BatchedTokens { get; init; }
}
