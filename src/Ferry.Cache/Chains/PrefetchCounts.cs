namespace Ferry.Cache.Chains;

/// <summary>What prefetching did so far.</summary>
/// <param name="Loaded">Chunks brought up into memory before they were asked for.</param>
/// <param name="Used">Of those, chunks that were asked for.</param>
/// <param name="Unused">Of those, chunks that nobody asked for in time.</param>
/// <param name="Dropped">Chunks that were looked up while too many were wanted already.</param>
/// <param name="AheadBytes">Record bytes that lie in memory and wait to be asked for.</param>
public readonly record struct PrefetchCounts(long Loaded, long Used, long Unused, long Dropped, long AheadBytes);
