using System.Collections.Concurrent;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>The owner's side of <see cref="HandoverRoute.WriterConverts"/>: lays a window out as a reader wants it, in a slot under a lease of that reader.</summary>
internal sealed class HandoverPacker(ITransferAgent agent, IReadOnlyList<KvRankPool> pools, HandoverLimits limits, TimeProvider time) : IAsyncDisposable
{
    // Layouts come from outside; a fleet has a handful, with up to four lengths of windows each.
    private const int PlansMax = 256;

    private readonly StagingMemory _staging = new(agent, limits.SlotBytes, limits.SlotCount);
    private readonly ConcurrentDictionary<KvLayout, Planned> _plans = new();
    private readonly ConcurrentDictionary<ulong, AgentIdentity> _readers = new(); // of leases of packed windows

    public async ValueTask<AskReply> PackAsync(PeerMetadata peer, HandoverOffer offer, PackRequest request, CancellationToken cancellationToken)
    {
        if (Refuse(offer, request) is { } refusal)
        {
            return refusal;
        }
        var planned = PlanOf(request.Layout);
        if (planned.Plan is not { } plan)
        {
            return AskReply.Refused(TransferError.Refused, $"There is no conversion: {string.Join("; ", planned.Mismatches)}.");
        }
        if (await RentAsync(cancellationToken) is not { } slot)
        {
            return AskReply.Refused(TransferError.Overloaded, $"All {limits.SlotCount} slots are taken (SlotCount); ask again.");
        }
        var isLent = false;
        try
        {
            await Task.Yield(); // The caller reads a connection: what converts for milliseconds must not keep it from the next question.
            var error = Pack(plan, offer, request, slot);
            if (error != TransferError.None)
            {
                return AskReply.Refused(error, $"The lease on request '{offer.RequestId}' has ended: {error}.");
            }
            var lease = Lend(peer.Identity, slot, request.Layout.PayloadBytes);
            isLent = lease is not null;
            return lease is null
                ? AskReply.Refused(TransferError.Overloaded, "Too many leases are held here; ask again.")
                : AskReply.Answered(HandoverCodec.Encode(new PackReply(lease.Id, _staging.Region.Id, _staging.OffsetOf(slot), request.Layout.PayloadBytes)));
        }
        finally
        {
            if (!isLent)
            {
                _staging.Return(slot);
            }
        }
    }

    /// <summary>Ends the lease of a window that its reader has read; false if it is none of that reader's.</summary>
    public bool TryReturn(AgentIdentity reader, ulong leaseId) =>
        _readers.TryGetValue(leaseId, out var holder) && holder == reader && agent.Leases.Release(leaseId);

    public ValueTask DisposeAsync() => _staging.DisposeAsync();

    private AskReply? Refuse(HandoverOffer offer, PackRequest request)
    {
        var layout = request.Layout;
        if (layout.PayloadBytes > limits.SlotBytes)
        {
            return AskReply.Refused(TransferError.TooManyBytes, $"The window has {layout.PayloadBytes} bytes, a slot {limits.SlotBytes} (SlotBytes). Ask for less at a time.");
        }
        if (request.FirstLayer > pools[0].Layout.Layers - layout.Layers || request.FirstToken > offer.Tokens - request.Tokens || request.Tokens > layout.Tokens)
        {
            return AskReply.Refused(TransferError.OutOfRange,
                $"Layers {request.FirstLayer} to {(long)request.FirstLayer + layout.Layers} and tokens {request.FirstToken} to {(long)request.FirstToken + request.Tokens} "
                + $"are not all among the {pools[0].Layout.Layers} layers and {offer.Tokens} tokens of request '{offer.RequestId}'.");
        }
        return null;
    }

    private Planned PlanOf(KvLayout layout)
    {
        if (_plans.TryGetValue(layout, out var planned))
        {
            return planned;
        }
        if (_plans.Count >= PlansMax)
        {
            _plans.Clear();
        }
        PagedConversionPlan.TryCreate([.. pools.Select(pool => pool.Layout)], layout, staysInCache: true, out var plan, out var mismatches);
        return _plans.GetOrAdd(layout, new Planned(plan, mismatches));
    }

    private async ValueTask<int?> RentAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limits.SlotWait, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await _staging.RentAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Holds every rank's lease while its blocks are read, so that the owner cannot reuse them; says if one has ended.</summary>
    private TransferError Pack(PagedConversionPlan plan, HandoverOffer offer, PackRequest request, int slot)
    {
        var held = new List<(Lease Lease, MemoryRegion Region)>();
        try
        {
            for (var rank = 0; rank < pools.Count; rank++)
            {
                var error = agent.Leases.TryUse(offer.Leases[rank].Id, agent.Identity.Generation, LeaseRights.Read, out var lease);
                if (error != TransferError.None)
                {
                    return error;
                }
                if (!pools[rank].Region.TryUse())
                {
                    agent.Leases.EndUse(lease!);
                    return TransferError.RegionUnknown;
                }
                held.Add((lease!, pools[rank].Region));
            }
            var sources = new PagedKv[pools.Count];
            for (var rank = 0; rank < sources.Length; rank++)
            {
                sources[rank] = pools[rank].Of(offer.Tables[rank]);
            }
            var target = new PagedKv(_staging.AddressOf(slot), request.Layout.PayloadBytes, default);
            plan.Run(sources, target, new PagedWindow(request.FirstLayer, 0, request.Layout.Layers, request.FirstToken, 0, request.Tokens));
            // Bytes of an earlier window must not travel in what this one leaves unused.
            PagedConversionPlan.ClearTail(request.Layout, target, request.Tokens);
            return held.Select(use => agent.Leases.Check(use.Lease)).FirstOrDefault(error => error != TransferError.None);
        }
        finally
        {
            foreach (var (lease, region) in held)
            {
                region.EndUse();
                agent.Leases.EndUse(lease);
            }
        }
    }

    private Lease? Lend(AgentIdentity reader, int slot, long bytes)
    {
        var lease = agent.Leases.TryGrant([new LeaseRange(_staging.Region.Id, _staging.OffsetOf(slot), bytes)], limits.PackLease, reader, (ended, _) =>
        {
            _readers.TryRemove(ended.Id, out var _);
            _staging.Return(slot);
        });
        if (lease is not null)
        {
            _readers[lease.Id] = reader;
            if (agent.Leases.TryGetLeft(lease.Id) is null)
            {
                _readers.TryRemove(lease.Id, out var _); // It ended before it was entered.
            }
        }
        return lease;
    }

    private sealed record Planned(PagedConversionPlan? Plan, IReadOnlyList<string> Mismatches);
}
