namespace Ferry.Transfer.Handover;

/// <summary>Where one rank of the owner keeps a request.</summary>
/// <param name="LeaseId">Covers the request's blocks of this rank.</param>
/// <param name="Offset">Of the rank's pool in the region.</param>
/// <param name="Blocks">In order of position.</param>
public sealed record HandoverRank(ulong LeaseId, uint RegionId, long Offset, ReadOnlyMemory<int> Blocks);
