namespace Ferry.Transfer.SideChannel;

/// <summary>Something a reader still wants.</summary>
/// <param name="RequestId">The owner's request; may be empty if the lease says it all.</param>
/// <param name="LeaseId">0 before the first locate.</param>
public readonly record struct LeaseHold(string RequestId, ulong LeaseId);
