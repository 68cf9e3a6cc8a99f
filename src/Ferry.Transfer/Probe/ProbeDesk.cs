using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Probe;

/// <summary>Lends a little memory to peers that measure or check the way to this agent; passes every other question on.</summary>
/// <remarks>One measurement at a time. The memory is made when first asked for and stays until disposal, at most the limit of each kind.</remarks>
internal sealed class ProbeDesk(ISideChannelHandler inner, AgentCore core, long bytesMax) : ISideChannelHandler, IDisposable
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<ProbeMemory, (ProbeArena Arena, MemoryRegion Region)> _arenas = [];
    private ulong _leaseId; // of the measurement under way, or 0

    public ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken) =>
        request.RequestId == ProbeQuestion.RequestId ? ValueTask.FromResult(Lend(peer, request)) : inner.LocateAsync(peer, request, cancellationToken);

    public ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken) =>
        request.Holds is [{ RequestId: ProbeQuestion.RequestId } hold]
            ? ValueTask.FromResult<IReadOnlyList<TimeSpan>>([IsLent(hold.LeaseId) ? core.Leases.TryExtend(hold.LeaseId, LeaseDuration) ?? TimeSpan.Zero : TimeSpan.Zero])
            : inner.ExtendAsync(peer, request, cancellationToken);

    public ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken)
    {
        if (request.RequestId != ProbeQuestion.RequestId)
        {
            return inner.ReleaseAsync(peer, request, cancellationToken);
        }
        if (IsLent(request.LeaseId))
        {
            core.Leases.Release(request.LeaseId);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<PrepareReply> PrepareAsync(PeerMetadata peer, PrepareRequest request, CancellationToken cancellationToken) =>
        inner.PrepareAsync(peer, request, cancellationToken);

    public ValueTask<bool> NotifiedAsync(PeerMetadata peer, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        message.Span.SequenceEqual("ferry.probe"u8) ? ValueTask.FromResult(true) : inner.NotifiedAsync(peer, message, cancellationToken);

    public ValueTask<AskReply> AskAsync(PeerMetadata peer, ReadOnlyMemory<byte> question, CancellationToken cancellationToken) =>
        inner.AskAsync(peer, question, cancellationToken);

    /// <summary>Only once the agent has deregistered every region.</summary>
    public void Dispose()
    {
        foreach (var (arena, _) in _arenas.Values)
        {
            arena.Dispose();
        }
    }

    private bool IsLent(ulong leaseId)
    {
        lock (_gate)
        {
            return leaseId != 0 && leaseId == _leaseId;
        }
    }

    private LocateReply Lend(PeerMetadata peer, LocateRequest request)
    {
        if (ProbeQuestion.Read(request) is not var (wanted, memory))
        {
            return LocateReply.Refused(TransferError.ProtocolViolation, "The question for memory to measure with is malformed.");
        }
        lock (_gate)
        {
            if (_leaseId != 0)
            {
                return LocateReply.Refused(TransferError.Overloaded, "Somebody else measures the way to this agent; try again in a moment.");
            }
            var (region, refusal) = RegionOf_NeedsLock(memory);
            if (region is null)
            {
                return LocateReply.Refused(TransferError.Overloaded, refusal);
            }
            var bytes = Math.Min(wanted, bytesMax);
            var lease = core.Leases.TryGrant([new LeaseRange(region.Id, 0, bytes)], LeaseDuration, peer.Identity, (ended, _) => End(ended), LeaseRights.Read | LeaseRights.Write);
            if (lease is null)
            {
                return LocateReply.Refused(TransferError.Overloaded, "Too many leases are held here; ask again.");
            }
            _leaseId = lease.Id;
            return LocateReply.Granted(lease, LeaseDuration, [new LocatedRecord(0, 0, region.Id, 0, bytes)]);
        }
    }

    private void End(Lease lease)
    {
        lock (_gate)
        {
            _leaseId = _leaseId == lease.Id ? 0 : _leaseId;
        }
    }

    private (MemoryRegion? Region, string Refusal) RegionOf_NeedsLock(ProbeMemory memory)
    {
        if (_arenas.TryGetValue(memory, out var made))
        {
            return (made.Region, string.Empty);
        }
        ProbeArena? arena = null;
        try
        {
            arena = new ProbeArena(bytesMax, memory);
            var region = core.Regions.Add(arena.Address, arena.Bytes, arena.Backing);
            _arenas[memory] = (arena, region);
            return (region, string.Empty);
        }
        catch (Exception exception) when (exception is InsufficientMemoryException or PlatformNotSupportedException or InvalidOperationException)
        {
            arena?.Dispose();
            return (null, exception.Message);
        }
    }
}
