using System.Collections.Concurrent;
using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Serving.Exchange.Push;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;

namespace Ferry.Serving.Exchange;

/// <summary>Answers peers over the side channel: a decode node where records lie, how long they stay, and that they may go; a prefill node that pushes through the desk for pushes.</summary>
internal sealed class LenderDesk(
    RecordCache cache, RequestLeases leases, PushDesk pushes, HandoverCosts? costs, KvExchangeOptions options, ExchangeCounters counters, TimeProvider time) : ISideChannelHandler
{
    // As many ranges as a transfer lease takes by default (LeaseLimits.RangeCountMax).
    private const int RecordsPerAnswerMax = 16_384;

    private readonly ConcurrentDictionary<ulong, long> _bytesByGrant = new();
    private volatile Opened? _open;

    /// <summary>From now on questions are answered; before, they are refused.</summary>
    public void Open(ITransferAgent agent, MemoryRegion arena) => _open = new Opened(agent, arena);

    public ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Locate(peer.Identity, request));

    public ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken)
    {
        var duration = request.Duration < options.LeaseDuration ? request.Duration : options.LeaseDuration;
        var left = new TimeSpan[request.Holds.Count];
        for (var index = 0; index < left.Length; index++)
        {
            var hold = request.Holds[index];
            var ofRequest = hold.RequestId.Length > 0 && leases.TryExtend(hold.RequestId, duration) is { } end ? end - time.GetUtcNow() : TimeSpan.Zero;
            var ofGrant = hold.LeaseId != 0 ? _open?.Agent.Leases.TryExtend(hold.LeaseId, duration) ?? TimeSpan.Zero : TimeSpan.Zero;
            // What a reader may rely on is the nearer end of those it asked about.
            left[index] = hold.RequestId.Length == 0 || (hold.LeaseId != 0 && ofGrant < ofRequest) ? ofGrant : ofRequest;
        }
        return ValueTask.FromResult<IReadOnlyList<TimeSpan>>(left);
    }

    public ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken)
    {
        if (request.LeaseId != 0 && _open is { } open)
        {
            if (_bytesByGrant.TryRemove(request.LeaseId, out var bytes) && request.Completed)
            {
                counters.BytesServed.Add(bytes);
            }
            open.Agent.Leases.Release(request.LeaseId);
        }
        if (request.RequestId.Length > 0)
        {
            leases.Release(request.RequestId);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<PrepareReply> PrepareAsync(PeerMetadata peer, PrepareRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(pushes.Prepare(peer, request));

    public ValueTask<bool> NotifiedAsync(PeerMetadata peer, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        PushNotice.TryReadWritten(message.Span, out var leaseId)
            ? pushes.WrittenAsync(peer.Identity, leaseId, cancellationToken)
            : ValueTask.FromResult(PushNotice.TryReadHandedOver(message.Span) is { } took && TakeCost(peer, took));

    private bool TakeCost(PeerMetadata peer, HandedOver took)
    {
        costs?.Add(peer.Identity.EngineId, took.Medium, took.Mode, took.Bytes, took.Time);
        return costs is not null;
    }

    private LocateReply Locate(AgentIdentity reader, LocateRequest request)
    {
        if (_open is not { } open)
        {
            return Refuse(TransferError.Overloaded, "This exchange is starting; ask again.");
        }
        if (request.Model != options.Model)
        {
            return Refuse(TransferError.Refused, $"This node serves model {options.Model:x32}, not {request.Model:x32}. Both nodes must load the same weights.");
        }
        if (!leases.TryGetChunks(request.RequestId, out var held))
        {
            return Refuse(TransferError.LeaseExpired, "The request's lease has ended: it ran out, was released, or never was.");
        }
        var records = new List<RecordLease>();
        var located = new List<LocatedRecord>();
        for (var index = 0; index < request.Chunks.Count && records.Count < RecordsPerAnswerMax; index++)
        {
            AddChunk(new KvKey(request.Salt, request.Model, request.Chunks[index]), index, held, open.Region, records, located);
        }
        if (records.Count == 0)
        {
            return Refuse(TransferError.NotFound, $"None of the {request.Chunks.Count} chunks is held under this lease.");
        }
        return Grant(open.Agent, reader, records, located);
    }

    private void AddChunk(
        KvKey key, int chunkIndex, IReadOnlySet<KvKey> held, MemoryRegion region, List<RecordLease> records, List<LocatedRecord> located)
    {
        if (!held.Contains(key) || !cache.Memory.TryLease(key, new ChunkQuery(0, 0, 0), out var chunk))
        {
            return;
        }
        if (records.Count + chunk.Shards.Count > RecordsPerAnswerMax)
        {
            chunk.Dispose();
            return;
        }
        for (var rank = 0; rank < chunk.Shards.Count; rank++)
        {
            var shard = chunk.Shards[rank];
            records.Add(shard);
            located.Add(new LocatedRecord(chunkIndex, rank, region.Id, shard.ArenaOffset, shard.RecordBytes));
        }
    }

    private LocateReply Grant(ITransferAgent agent, AgentIdentity reader, List<RecordLease> records, List<LocatedRecord> located)
    {
        // The same chunk twice in a question would be the same range twice; a lease takes each once.
        var ranges = located.Select(record => new LeaseRange(record.RegionId, record.Offset, record.Bytes)).Distinct().ToArray();
        var bytes = records.Sum(record => record.Header.PayloadBytes);
        var grant = agent.Leases.TryGrant(ranges, options.LeaseDuration, reader, (lease, _) =>
        {
            _bytesByGrant.TryRemove(lease.Id, out long _);
            records.ForEach(record => record.Dispose());
        });
        if (grant is null)
        {
            records.ForEach(record => record.Dispose());
            return Refuse(TransferError.Overloaded, "Too many leases are held here; ask again.");
        }
        _bytesByGrant[grant.Id] = bytes;
        if (agent.Leases.TryGetLeft(grant.Id) is null)
        {
            _bytesByGrant.TryRemove(grant.Id, out long _); // It ended before it was entered.
        }
        return LocateReply.Granted(grant, options.LeaseDuration, located);
    }

    private LocateReply Refuse(TransferError error, string message)
    {
        counters.Nacks.Add();
        return LocateReply.Refused(error, message);
    }

    private sealed record Opened(ITransferAgent Agent, MemoryRegion Region);
}
