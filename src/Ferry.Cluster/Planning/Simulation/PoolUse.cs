namespace Ferry.Cluster.Planning.Simulation;

/// <summary>How busy the nodes of a pool were on average.</summary>
/// <param name="Prefill">Share of the time in which a node prefilled, loads included.</param>
/// <param name="Loading">Share of the time in which it loaded KV from a tier.</param>
/// <param name="Decode">Share of the time in which it decoded.</param>
/// <param name="Batch">Sequences that decoded at once, averaged over the time in which any did.</param>
/// <param name="Outgoing">Share of the time in which its network sent KV.</param>
/// <param name="Incoming">Share of the time in which its network received KV.</param>
public sealed record PoolUse(string Pool, double Prefill, double Loading, double Decode, double Batch, double Outgoing, double Incoming);
