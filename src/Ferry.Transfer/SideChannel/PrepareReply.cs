namespace Ferry.Transfer.SideChannel;

/// <summary>The owner's answer: room under a write lease, or a refusal.</summary>
/// <param name="Generation">The owner's run, for <see cref="RemoteRange"/>.</param>
/// <param name="LeaseLeft">From the moment of the answer.</param>
/// <param name="Places">
/// Where pieces go; <see cref="LocatedRecord.ChunkIndex"/> is the index of the piece asked for. A piece without a place is not wanted (the
/// owner has it already) or found no room.
/// </param>
/// <param name="Error">None, or why nothing is given.</param>
/// <param name="Message">For a person; empty without an error.</param>
public sealed record PrepareReply(
    ulong LeaseId, ulong Generation, TimeSpan LeaseLeft, IReadOnlyList<LocatedRecord> Places, TransferError Error, string Message)
{
    public static PrepareReply Granted(Lease lease, TimeSpan left, IReadOnlyList<LocatedRecord> places) =>
        new(lease.Id, lease.Generation, left, places, TransferError.None, string.Empty);

    public static PrepareReply Refused(TransferError error, string message) => new(0, 0, TimeSpan.Zero, [], error, message);

    /// <summary>What to put into a <see cref="TransferDescriptor"/> to write all of a record.</summary>
    public RemoteRange RangeOf(in LocatedRecord place) => new(LeaseId, Generation, place.RegionId, place.Offset, place.Bytes);
}
