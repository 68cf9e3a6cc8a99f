namespace Ferry.Cluster.Planning;

/// <summary>What one tier holds, and whether loading from it beats computing. Formulas: docs/planning.md, "Tiers".</summary>
/// <param name="Tier">device, memory, disk, s3, redis or directory.</param>
/// <param name="Bytes">Of one node; of all for a shared tier; 0: no limit is known.</param>
/// <param name="Prompts">Typical prompts, counted in whole tokens.</param>
/// <param name="BytesPerSecond">At which a node reads from it.</param>
/// <param name="LoadSeconds">Of a typical prompt.</param>
/// <param name="ComputeSeconds">Of the same prompt on a node of the pool.</param>
/// <param name="BreakEvenBytesPerSecond">A slower tier loses against computing whatever the prompt's length.</param>
/// <param name="BreakEvenTokens">From so many tokens on loading is faster; null: never.</param>
public sealed record TierFigures(
    string Pool, string Tier, long Bytes, long Tokens, double Prompts, double BytesPerSecond, double LoadSeconds, double ComputeSeconds,
    double BreakEvenBytesPerSecond, double? BreakEvenTokens)
{
    public bool LoadingPays => LoadSeconds < ComputeSeconds;
}
