namespace Ferry.Transfer;

/// <summary>What an agent holds open, for metrics and for tests that nothing leaks.</summary>
/// <param name="Connections">Peers of this agent and connections accepted from others.</param>
/// <param name="Leases">Leases granted and not ended, or ended with bytes still leaving.</param>
/// <param name="Regions">Registered regions.</param>
/// <param name="ReadsInFlight">Own reads that have not ended.</param>
public readonly record struct TransferCounts(int Connections, int Leases, int Regions, int ReadsInFlight);
