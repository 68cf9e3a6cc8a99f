namespace Ferry.Cli.Commands.Keys;

/// <summary>Whether a key found in a store names a part of the prompt, and if another deployment wrote it, how that one differs.</summary>
/// <param name="IsHit">The deployment asked about reads exactly this key.</param>
/// <param name="Verdict">One sentence.</param>
/// <param name="Differences">What to change so that both agree, one line each.</param>
internal sealed record KeyExplanation(bool IsHit, string Verdict, IReadOnlyList<string> Differences);
