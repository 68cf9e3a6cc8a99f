namespace Ferry.Transfer.Reads;

/// <summary>What a refusal of the owner means to the reader.</summary>
internal static class Nack
{
    public static TransferOutcome ToOutcome(TransferError reason, in ReadSegment segment, string phase) => TransferOutcome.Failed(
        reason is TransferError.RegionUnknown or TransferError.OutOfRange or TransferError.TooManyBytes or TransferError.ProtocolViolation
            ? TransferPhase.Read
            : TransferPhase.Lease,
        TransferSide.Remote, reason, $"The owner answered {reason} {phase} sending {segment.Bytes} bytes under lease {segment.LeaseId:x16}: {Explain(reason)}");

    private static string Explain(TransferError reason) => reason switch
    {
        TransferError.LeaseExpired => "its time ran out; locate again, or extend leases in time.",
        TransferError.LeaseUnknown => "it was released, ended earlier or never granted.",
        TransferError.LeaseRevoked => "its owner took it back.",
        TransferError.GenerationMismatch => "the owner has restarted since; connect and locate again.",
        TransferError.RegionUnknown => "the region is not registered there any more.",
        TransferError.OutOfRange => "a range is not covered by the lease.",
        _ => "see the owner's log.",
    };
}
