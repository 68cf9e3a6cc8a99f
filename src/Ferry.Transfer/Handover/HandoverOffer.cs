namespace Ferry.Transfer.Handover;

/// <summary>A request that an owner holds for readers, with a lease a rank.</summary>
internal sealed class HandoverOffer(string requestId, IReadOnlyList<ReadOnlyMemory<int>> tables, int tokens, int readers, Action<LeaseEnd>? ended)
{
    private int _readersLeft = readers;
    private int _leasesLeft = tables.Count;

    public string RequestId => requestId;

    /// <summary>Block tables, rank 0 first.</summary>
    public IReadOnlyList<ReadOnlyMemory<int>> Tables => tables;

    public int Tokens => tokens;

    /// <summary>One a rank, once all are granted.</summary>
    public Lease[] Leases { get; set; } = [];

    /// <summary>Whether all readers that were expected are done with this one.</summary>
    public bool CountReaderDone() => Interlocked.Decrement(ref _readersLeft) <= 0;

    /// <summary>A lease has ended, or was never granted; true for the last one. Then nothing reads the blocks any more.</summary>
    public bool CountLeaseEnded() => Interlocked.Decrement(ref _leasesLeft) == 0;

    public void End(LeaseEnd end) => ended?.Invoke(end);
}
