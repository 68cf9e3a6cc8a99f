namespace Ferry.Transfer;

/// <summary>A range of a peer's memory under a lease, as its owner named it.</summary>
/// <param name="LeaseId">The grant; the owner refuses the transfer once it has ended.</param>
/// <param name="Generation">The run of the owner that granted it.</param>
/// <param name="RegionId">The owner's region.</param>
/// <param name="Offset">First byte in the region.</param>
/// <param name="Bytes">Length.</param>
public readonly record struct RemoteRange(ulong LeaseId, ulong Generation, uint RegionId, long Offset, long Bytes);
