namespace Ferry.Transfer.SideChannel;

/// <summary>Says that a reader wants a request's bytes no more.</summary>
/// <param name="RequestId">The owner's request; empty if only the lease is given back.</param>
/// <param name="LeaseId">0 if there is none.</param>
/// <param name="Completed">True if the reader has the bytes; false if it gave up.</param>
public sealed record ReleaseRequest(string RequestId, ulong LeaseId, bool Completed);
