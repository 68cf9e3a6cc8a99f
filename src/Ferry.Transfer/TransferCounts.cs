namespace Ferry.Transfer;

/// <summary>What an agent holds open, for metrics and for tests that nothing leaks.</summary>
/// <param name="Connections">Peers of this agent and connections accepted from others.</param>
/// <param name="Leases">Leases granted and not ended, or ended with bytes still on their way.</param>
/// <param name="Regions">Registered regions.</param>
/// <param name="TransfersInFlight">Own reads and writes that have not ended.</param>
/// <param name="RegisteredBytes">Of all regions.</param>
/// <param name="NativeHandles">Mappings, descriptors and library objects of media beside TCP.</param>
public readonly record struct TransferCounts(
    int Connections, int Leases, int Regions, int TransfersInFlight, long RegisteredBytes = 0, int NativeHandles = 0);
