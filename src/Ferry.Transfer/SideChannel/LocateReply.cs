namespace Ferry.Transfer.SideChannel;

/// <summary>The owner's answer: records under a lease, or a refusal.</summary>
/// <param name="Generation">The owner's run, for <see cref="RemoteRange"/>.</param>
/// <param name="LeaseLeft">From the moment of the answer: clocks of two machines are never compared.</param>
/// <param name="Records">In any order; chunks without records are not there.</param>
/// <param name="Error">None, or why nothing is given.</param>
/// <param name="Message">For a person; empty without an error.</param>
public sealed record LocateReply(
    ulong LeaseId, ulong Generation, TimeSpan LeaseLeft, IReadOnlyList<LocatedRecord> Records, TransferError Error, string Message)
{
    public static LocateReply Granted(Lease lease, TimeSpan left, IReadOnlyList<LocatedRecord> records) =>
        new(lease.Id, lease.Generation, left, records, TransferError.None, string.Empty);

    public static LocateReply Refused(TransferError error, string message) => new(0, 0, TimeSpan.Zero, [], error, message);

    /// <summary>What to put into a <see cref="TransferDescriptor"/> to read all of a record.</summary>
    public RemoteRange RangeOf(in LocatedRecord record) => new(LeaseId, Generation, record.RegionId, record.Offset, record.Bytes);
}
