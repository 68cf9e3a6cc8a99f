namespace Ferry.Transfer;

/// <summary>A range of registered memory that a lease lets a peer read.</summary>
public readonly record struct LeaseRange(uint RegionId, long Offset, long Bytes);
