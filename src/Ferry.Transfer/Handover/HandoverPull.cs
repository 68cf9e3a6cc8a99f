using System.Collections.Concurrent;
using Ferry.Kv.Conversion;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>One hand-over under way: what its windows share.</summary>
/// <param name="holding">The peer, if it holds its memory in place.</param>
internal sealed class HandoverPull(ITransferPeer peer, IInPlacePeer? holding, HandoverTicket ticket, KvRankPool target, ReadOnlyMemory<int> blocks, StagingMemory staging, TimeProvider time)
{
    private long _wireBytes;
    private long _pieces;
    private long _smallestPieceBytes = long.MaxValue;
    private long _convertTicks;
    private readonly ConcurrentBag<Task> _releasing = [];

    public ITransferPeer Peer => peer;

    public HandoverTicket Ticket => ticket;

    public StagingMemory Staging => staging;

    public KvRankPool TargetPool => target;

    /// <summary>The caller of the hand-over holds a use of the region.</summary>
    public PagedKv Target => target.Of(blocks);

    public ReadOnlyMemory<int> Blocks => blocks;

    /// <summary>Reads, and counts what goes over the wire.</summary>
    public Task<TransferOutcome> ReadAsync(TransferDescriptor[] descriptors, CancellationToken cancellationToken)
    {
        foreach (var descriptor in descriptors)
        {
            CountRead(descriptor.Remote.Bytes);
        }
        return peer.ReadAsync(descriptors, cancellationToken);
    }

    /// <summary>Has the owner hold ranges while <paramref name="reading"/> reads them; that counts what it reads.</summary>
    public Task<TransferOutcome> ReadInPlaceAsync(TransferDescriptor[] held, InPlaceRead reading, CancellationToken cancellationToken) =>
        holding!.ReadInPlaceAsync(held, reading, cancellationToken);

    /// <summary>Counts a piece of the owner's memory that is read.</summary>
    public void CountRead(long bytes)
    {
        Interlocked.Add(ref _wireBytes, bytes);
        Interlocked.Increment(ref _pieces);
        InterlockedMin(ref _smallestPieceBytes, bytes);
    }

    /// <summary>Runs the conversion of what a window takes from one source, and times it.</summary>
    public void Convert(PagedConversionPlan plan, int source, in PagedKv from, in PagedWindow window)
    {
        var begun = time.GetTimestamp();
        plan.Run(source, from, Target, window);
        Interlocked.Add(ref _convertTicks, time.GetElapsedTime(begun).Ticks);
    }

    /// <summary>Runs the conversion of a window, and times it.</summary>
    public void Convert(PagedConversionPlan plan, ReadOnlySpan<PagedKv> sources, in PagedWindow window)
    {
        var begun = time.GetTimestamp();
        plan.Run(sources, Target, window);
        Interlocked.Add(ref _convertTicks, time.GetElapsedTime(begun).Ticks);
    }

    /// <summary>Lets go of something of the owner's without waiting for its answer; one that does not arrive runs out by itself.</summary>
    public void ReleaseLater(ReleaseRequest request) => _releasing.Add(peer.ReleaseAsync(request, CancellationToken.None));

    /// <summary>Once nothing is released any more; waits until the owner has answered.</summary>
    public Task ReleasedAsync() => Task.WhenAll(_releasing);

    public HandoverReport Report(HandoverChoice choice) => new(
        choice.Route, choice.Reason, _wireBytes, _pieces, _pieces == 0 ? 0 : _smallestPieceBytes, TimeSpan.FromTicks(_convertTicks));

    private static void InterlockedMin(ref long location, long value)
    {
        var seen = Volatile.Read(ref location);
        while (value < seen)
        {
            var previous = Interlocked.CompareExchange(ref location, value, seen);
            if (previous == seen)
            {
                return;
            }
            seen = previous;
        }
    }
}
