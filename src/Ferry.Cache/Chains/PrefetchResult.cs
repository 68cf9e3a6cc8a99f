namespace Ferry.Cache.Chains;

/// <summary>What a prefetch did.</summary>
/// <param name="IsRefused">Too many were under way; nothing was done.</param>
/// <param name="Found">Chunks of the usable prefix.</param>
/// <param name="Loaded">Of those, chunks that were brought up into memory.</param>
public readonly record struct PrefetchResult(bool IsRefused, int Found, int Loaded);
