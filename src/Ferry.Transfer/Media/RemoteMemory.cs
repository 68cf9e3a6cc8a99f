using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.Media;

/// <summary>One peer's memory as a medium reaches it.</summary>
/// <remarks>Thread-safe: several streams move pieces at once. Both ends of every piece are held while it moves.</remarks>
internal abstract class RemoteMemory : IAsyncDisposable
{
    /// <summary>
    /// True: a write is posted from here into the peer's memory, which the peer holds in place. False: the peer fetches it, so that a writer
    /// that stood still for longer than its lease can never write late.
    /// </summary>
    public virtual bool WritesDirectly => false;

    /// <summary>Whether the near end may be memory that only an accelerator's transport reaches.</summary>
    public virtual bool ReachesAccelerators => false;

    /// <summary>
    /// True: memory that its owner has given back, or that is gone, can be read without harm; what comes is then not used, or nothing comes. Such
    /// reads need no hold: a lease that is alive when they have ended was alive all along, since ids and regions never come back.
    /// </summary>
    public virtual bool ReadsUnheld => false;

    /// <summary>Whether <see cref="TryAddRegion"/> has been called for the region with success.</summary>
    public abstract bool Knows(uint regionId);

    /// <summary>Makes a region of the peer reachable; returns the error, or null. May be called again with the same.</summary>
    public abstract string? TryAddRegion(RegionInfo region);

    /// <summary>Copies pieces from the peer's memory into own. Returns the error, or null when all bytes are there.</summary>
    /// <param name="pieces">Not changed until the task ends. Every region is known. Offsets are the peer's word: the implementation checks them against the region.</param>
    public abstract ValueTask<string?> ReadAsync(IReadOnlyList<TransferPiece> pieces, CancellationToken cancellationToken);

    /// <summary>Whether several streams copy faster than one; else all is done by one thread, and more segments are more questions.</summary>
    public virtual bool CopiesInParallel => false;

    /// <summary>Whether regions may lie mapped in this process.</summary>
    public virtual bool CanMap => false;

    /// <summary>Whether [offset, offset + bytes) of a known region lies mapped in this process.</summary>
    public virtual bool Maps(uint regionId, long offset, long bytes) => false;

    /// <summary>Has the bytes of a region read where they lie. Only where it <see cref="Maps"/> them. Returns the error, or null when they have been read.</summary>
    public virtual ValueTask<string?> ReadInPlaceAsync(InPlaceRead reading) => throw new NotSupportedException("This medium maps nothing.");

    /// <summary>Copies pieces from own memory into the peer's. Only where <see cref="WritesDirectly"/>. Returns the error, or null when all bytes are visible there.</summary>
    public virtual ValueTask<string?> WriteAsync(IReadOnlyList<TransferPiece> pieces, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This medium has writes fetched by their owner.");

    /// <summary>Lets the peer at nothing of this side from now on, and what is under way fail; does not wait. Before disposal.</summary>
    public virtual void Abort()
    {
    }

    public abstract ValueTask DisposeAsync();
}
