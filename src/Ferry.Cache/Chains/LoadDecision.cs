namespace Ferry.Cache.Chains;

/// <summary>How much of a chain is loaded from the tiers below memory, and why.</summary>
/// <param name="Chunks">Chunks from the first on that are taken, those in memory among them; the rest is computed.</param>
/// <param name="LoadTime">What loading all that was found was expected to take; null when it was not compared.</param>
/// <param name="ComputeTime">What computing all that memory does not have was expected to take.</param>
public readonly record struct LoadDecision(int Chunks, LoadReason Reason, TimeSpan? LoadTime, TimeSpan? ComputeTime);
