namespace Ferry.Cluster.Planning;

/// <summary>A judgement with its numbers.</summary>
/// <param name="IsWarning">Something does not pay, or does not fit.</param>
public sealed record Verdict(bool IsWarning, string Text);
