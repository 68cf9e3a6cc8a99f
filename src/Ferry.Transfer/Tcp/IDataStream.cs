namespace Ferry.Transfer.Tcp;

/// <summary>The asker's end of one data connection: takes segments off the peer's queue and moves them, until told to stop or broken.</summary>
internal interface IDataStream : IDisposable
{
    /// <summary>Runs until <paramref name="closing"/> or a failure, which it returns. Every segment it took is ended by then. Called once.</summary>
    Task<TransferOutcome> RunAsync(CancellationToken closing);

    /// <summary>Takes a segment off the queue if there is one and this stream has room for it; from any thread. False if it took none.</summary>
    /// <param name="own">The transfer whose poster calls: its thread may move bytes of that one itself, as far as nothing has to be waited for. Null: none.</param>
    bool TryTake(PostedTransfer? own = null);

    /// <summary>Segments that it has taken and not yet ended.</summary>
    int SegmentsTaken { get; }

    /// <summary>Says that the owner is dead if segments are out and nothing has moved for too long. Called at every sweep.</summary>
    bool IsStalled();

    /// <summary>Since the owner last gave a sign of life on it.</summary>
    TimeSpan Silence { get; }

    void Abort(string reason);
}
