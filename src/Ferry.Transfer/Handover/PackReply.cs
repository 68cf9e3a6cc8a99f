namespace Ferry.Transfer.Handover;

/// <summary>Where packed bytes can be read.</summary>
internal readonly record struct PackReply(ulong LeaseId, uint RegionId, long Offset, long Bytes);
