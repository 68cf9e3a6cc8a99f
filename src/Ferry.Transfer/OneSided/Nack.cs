namespace Ferry.Transfer.OneSided;

/// <summary>What a refusal of the owner means to the asker.</summary>
internal static class Nack
{
    /// <param name="phase">Of the transfer: read or write.</param>
    /// <param name="when">Such as "to" or "while".</param>
    public static TransferOutcome ToOutcome(TransferError reason, in TransferSegment segment, TransferPhase phase, string when) => TransferOutcome.Failed(
        reason is TransferError.RegionUnknown or TransferError.OutOfRange or TransferError.TooManyBytes or TransferError.ProtocolViolation
            or TransferError.MediumFailed or TransferError.AcceleratorMemory
            ? phase
            : reason == TransferError.ChecksumMismatch ? TransferPhase.Verify : TransferPhase.Lease,
        TransferSide.Remote, reason,
        $"The owner answered {reason} {when} {(phase == TransferPhase.Read ? "sending" : "taking")} {segment.Bytes} bytes under lease {segment.LeaseId:x16}: {Explain(reason)}");

    private static string Explain(TransferError reason) => reason switch
    {
        TransferError.LeaseExpired => "its time ran out; locate again, or extend leases in time.",
        TransferError.LeaseUnknown => "it was released, ended earlier or never granted.",
        TransferError.LeaseRevoked => "its owner took it back.",
        TransferError.GenerationMismatch => "the owner has restarted since; connect and locate again.",
        TransferError.RegionUnknown => "the region is not registered there any more.",
        TransferError.OutOfRange => "a range is not covered by the lease.",
        TransferError.Refused => "its UCX_TLS does not allow bytes over tcp; no other medium reaches it.",
        TransferError.NotPermitted => "a lease for reading lets nobody write, and the other way round.",
        TransferError.ChecksumMismatch => "the bytes were damaged on the way.",
        TransferError.MediumFailed => "it could not reach this process's memory; its log says why.",
        TransferError.AcceleratorMemory => "it is memory of an accelerator: only UCX moves it, and the CPU can compute no checksum of it.",
        _ => "see the owner's log.",
    };
}
