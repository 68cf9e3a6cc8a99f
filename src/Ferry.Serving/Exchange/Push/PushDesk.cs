using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange.Push;

/// <summary>The decode node's side of pushes: prepares room, takes what was written once it is proved, and keeps it for the request that comes for it.</summary>
/// <remarks>
/// Nothing is believed before its lease has ended: from then on nobody can write to the bytes, and they are proved as those of a pull are. What is not whole by
/// then, in time and right, is given back, and the request pulls it. Thread-safe.
/// </remarks>
/// <param name="isUsable">Whether a record's layout can be converted to this node's.</param>
internal sealed class PushDesk(
    RecordCache cache, ClaimedKeys claims, KvExchangeOptions options, ExchangeCounters counters, Func<KvLayout, bool> isUsable, TimeProvider time, ILogger logger)
{
    // As many ranges as a transfer lease takes by default (LeaseLimits.RangeCountMax).
    private const int PiecesMax = 16_384;
    private const string HadItsKv = "The request has had its KV: nothing is taken for it any more.";

    private readonly Lock _lock = new();
    private readonly Dictionary<(AgentIdentity Writer, string RequestId), PushedRequest> _requests = [];
    private readonly Dictionary<ulong, PushRoom> _rooms = [];
    private long _bytes; // Of all rooms, and of all that is held.
    private volatile Opened? _open;

    /// <summary>Whether this node takes pushes at all.</summary>
    public bool IsOpen => _open is not null && options.TakesPushes;

    /// <summary>Bytes that are prepared, or held for requests that have not come yet.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public void Open(ITransferAgent agent, MemoryRegion arena, string keyAlgorithm) => _open = new Opened(agent, arena, keyAlgorithm);

    public PrepareReply Prepare(PeerMetadata writer, PrepareRequest request)
    {
        if (_open is not { } open)
        {
            return Refuse(TransferError.Overloaded, "This exchange is starting; ask again.");
        }
        if (WhyRefused(open, writer, request) is { } refusal)
        {
            return refusal;
        }
        if (RoomFor(writer.Identity, request.RequestId, out var reply) is not { } room)
        {
            return reply;
        }
        var places = new List<LocatedRecord>();
        var hasRoom = true; // A chunk behind one that found none would only take the room that a load needs.
        for (var first = 0; hasRoom && first < request.Pieces.Count;)
        {
            var end = first + 1;
            while (end < request.Pieces.Count && request.Pieces[end].Chunk == request.Pieces[first].Chunk)
            {
                end++;
            }
            hasRoom = TryAddChunk(open, room, new KvKey(request.Salt, request.Model, request.Pieces[first].Chunk), request.Pieces, first, end, places);
            first = end;
        }
        if (places.Count > 0)
        {
            return Grant(open, room, places);
        }
        End(room, LeaseEnd.Revoked);
        return hasRoom
            ? Refuse(TransferError.NotFound, "None of these records is wanted: they are here, or on their way.")
            : Refuse(TransferError.Overloaded, "There is no room for these records; let them be read.");
    }

    /// <summary>A writer says that everything under its lease is in place.</summary>
    /// <returns>False: there is no such lease, or no more.</returns>
    public async ValueTask<bool> WrittenAsync(AgentIdentity writer, ulong leaseId, CancellationToken cancellationToken)
    {
        PushRoom? room;
        lock (_lock)
        {
            if (!_rooms.TryGetValue(leaseId, out room) || room.Writer != writer)
            {
                room = null;
            }
            else
            {
                room.IsWritten = true;
            }
        }
        if (room is null || !_open!.Agent.Leases.Release(leaseId))
        {
            counters.Nacks.Add();
            return false;
        }
        return await room.Ended.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Whether a chunk came by push for the request of this lender.</summary>
    public bool HasArrived(HandoverParams lender, in KvKey key)
    {
        lock (_lock)
        {
            return _requests.TryGetValue(NameOf(lender), out var request) && request.Arrived.Contains(key);
        }
    }

    /// <summary>The request has what it gets: what is held for it may go, and what still comes is refused.</summary>
    public void Finish(HandoverParams lender)
    {
        if (!IsOpen)
        {
            return;
        }
        RecordLease[] held;
        ulong[] leases;
        lock (_lock)
        {
            if (Find_NeedsLock(NameOf(lender)) is not { } request)
            {
                return;
            }
            request.IsFinished = true;
            leases = [.. request.Rooms.Where(room => room.LeaseId != 0).Select(room => room.LeaseId)];
            held = TakeHeld_NeedsLock(request);
        }
        Array.ForEach(leases, lease => _open!.Agent.Leases.Revoke(lease));
        GiveBack(held);
    }

    /// <summary>Lets go of what nobody came for.</summary>
    public void Sweep()
    {
        List<RecordLease> held = [];
        lock (_lock)
        {
            foreach (var (name, request) in _requests)
            {
                if (request.Rooms.Count == 0 && time.GetElapsedTime(request.LastUsed) > options.LeaseDuration)
                {
                    held.AddRange(TakeHeld_NeedsLock(request));
                    _requests.Remove(name);
                }
            }
        }
        GiveBack(held);
    }

    /// <summary>Gives everything back. The agent's own end ends the rooms.</summary>
    public void Close()
    {
        List<RecordLease> held = [];
        lock (_lock)
        {
            foreach (var request in _requests.Values)
            {
                request.IsFinished = true;
                held.AddRange(TakeHeld_NeedsLock(request));
            }
        }
        GiveBack(held);
    }

    private PrepareReply? WhyRefused(Opened open, PeerMetadata writer, PrepareRequest request)
    {
        if (!options.TakesPushes)
        {
            return Refuse(TransferError.Refused, "This node takes no pushes (handover_mode is pull); let it read instead.");
        }
        if (PeerFit.FindFault(writer.Kv, options, open.KeyAlgorithm) is { } fault)
        {
            return Refuse(TransferError.Refused, fault);
        }
        if (request.Model != options.Model || request.RequestId.Length == 0)
        {
            return Refuse(TransferError.Refused, "A push names its request, and is of the model that both nodes serve.");
        }
        if (request.Pieces.Count is 0 or > PiecesMax)
        {
            return Refuse(TransferError.TooManyDescriptors, $"{request.Pieces.Count} records; 1 to {PiecesMax} can be prepared at a time.");
        }
        foreach (var piece in request.Pieces)
        {
            if (piece.Bytes <= KvRecord.HeaderBytes || piece.Bytes > options.TierBounds.RecordBytesMax)
            {
                return Refuse(TransferError.TooManyBytes, $"A record of {piece.Bytes} bytes; one has {KvRecord.HeaderBytes + 1} to {options.TierBounds.RecordBytesMax} here.");
            }
        }
        return null;
    }

    private PushRoom? RoomFor(AgentIdentity writer, string requestId, out PrepareReply refusal)
    {
        refusal = null!;
        lock (_lock)
        {
            if (Find_NeedsLock((writer, requestId)) is not { } request)
            {
                refusal = Refuse(TransferError.Overloaded, $"Pushes for {options.PushRequestsMax} requests are held here; let it read instead.");
                return null;
            }
            if (request.IsFinished)
            {
                refusal = Refuse(TransferError.NotFound, HadItsKv);
                return null;
            }
            var room = new PushRoom(request, writer);
            request.Rooms.Add(room);
            return room;
        }
    }

    /// <summary>Makes room for all shards of a chunk, or for none: one that is here or on its way is left out.</summary>
    /// <returns>False: there is no room.</returns>
    private bool TryAddChunk(Opened open, PushRoom room, KvKey key, IReadOnlyList<PreparedPiece> pieces, int first, int end, List<LocatedRecord> places)
    {
        var bytes = 0L;
        for (var index = first; index < end; index++)
        {
            bytes += pieces[index].Bytes;
        }
        if (end - first > RecordStore.MaxRecordsPerChunk || cache.Memory.Contains(key) || !claims.TryClaim(key, out _))
        {
            return true;
        }
        var shards = new List<RecordReservation>(end - first);
        if (Interlocked.Add(ref _bytes, bytes) <= options.PushBytesMax)
        {
            for (var index = first; index < end && cache.Memory.TryReserve(pieces[index].Bytes) is { } reservation; index++)
            {
                shards.Add(reservation);
            }
        }
        if (shards.Count < end - first)
        {
            shards.ForEach(shard => shard.Dispose());
            Interlocked.Add(ref _bytes, -bytes);
            claims.Release(key);
            return false;
        }
        room.Chunks.Add((key, shards));
        room.Bytes += bytes;
        for (var index = first; index < end; index++)
        {
            places.Add(new LocatedRecord(index, pieces[index].Rank, open.Region.Id, shards[index - first].ArenaOffset, pieces[index].Bytes));
        }
        return true;
    }

    private PrepareReply Grant(Opened open, PushRoom room, List<LocatedRecord> places)
    {
        var ranges = places.ConvertAll(place => new LeaseRange(place.RegionId, place.Offset, place.Bytes));
        var lease = open.Agent.Leases.TryGrant(ranges, options.PushLease, room.Writer, (_, end) => End(room, end), LeaseRights.Write);
        if (lease is null)
        {
            End(room, LeaseEnd.Revoked);
            return Refuse(TransferError.Overloaded, "Too many leases are held here; ask again.");
        }
        bool isFinished;
        lock (_lock)
        {
            room.LeaseId = lease.Id;
            isFinished = room.Request.IsFinished; // While the room was made.
            if (!room.IsEnded)
            {
                _rooms.Add(lease.Id, room);
            }
        }
        if (isFinished)
        {
            open.Agent.Leases.Revoke(lease.Id);
            return Refuse(TransferError.NotFound, HadItsKv);
        }
        return PrepareReply.Granted(lease, options.PushLease, places);
    }

    /// <summary>Nobody writes to the room any more. Must not throw: the lease table calls it.</summary>
    private void End(PushRoom room, LeaseEnd end)
    {
        bool isTaken;
        lock (_lock)
        {
            _rooms.Remove(room.LeaseId);
            isTaken = room.End(end);
        }
        var arrived = new List<(KvKey Key, List<RecordLease> Records, bool IsWhole)>();
        if (isTaken)
        {
            arrived = room.Chunks.ConvertAll(chunk => Take(room, chunk.Key, chunk.Shards));
        }
        room.Chunks.ForEach(chunk => chunk.Shards.ForEach(shard => shard.Dispose())); // What was taken is no reservation any more.
        Keep(room, arrived);
        room.Chunks.ForEach(chunk => claims.Release(chunk.Key)); // Who waits looks in memory now.
        room.Ended.SetResult(isTaken);
    }

    private (KvKey Key, List<RecordLease> Records, bool IsWhole) Take(PushRoom room, KvKey key, List<RecordReservation> shards)
    {
        var records = new List<RecordLease>(shards.Count);
        foreach (var shard in shards)
        {
            if (!KvRecord.TryRead(shard.Record.Span, out var header, out var error))
            {
                Damaged(room, key, error.ToString());
            }
            else if (header.Key != key || header.Layout.Tokens > options.ChunkTokens)
            {
                Damaged(room, key, "it is another record than was announced");
            }
            else if (!isUsable(header.Layout))
            {
                ExchangeLog.NoConversion(logger, room.Writer.EngineId, $"{header.Layout}, pushed");
            }
            else
            {
                records.Add(shard.CommitVerified(header));
            }
        }
        return (key, records, records.Count == shards.Count);
    }

    private void Damaged(PushRoom room, KvKey key, string error)
    {
        counters.ChecksumFailures.Add();
        ExchangeLog.RecordDamaged(logger, key.Hash.ToString(), room.Writer.EngineId, error);
    }

    private void Keep(PushRoom room, List<(KvKey Key, List<RecordLease> Records, bool IsWhole)> arrived)
    {
        List<RecordLease> unwanted = [];
        lock (_lock)
        {
            var request = room.Request;
            request.Rooms.Remove(room);
            request.LastUsed = time.GetTimestamp();
            var kept = 0L;
            foreach (var (key, records, isWhole) in arrived)
            {
                if (isWhole && !request.IsFinished)
                {
                    request.Held.AddRange(records);
                    kept += records.Sum(record => (long)record.RecordBytes);
                }
                else
                {
                    request.Arrived.Remove(key);
                    unwanted.AddRange(records);
                }
            }
            Interlocked.Add(ref _bytes, kept - room.Bytes);
        }
        unwanted.ForEach(record => record.Dispose());
    }

    /// <summary>The request's entry, a new one if there is none; null when there are too many.</summary>
    private PushedRequest? Find_NeedsLock((AgentIdentity Writer, string RequestId) name)
    {
        if (!_requests.TryGetValue(name, out var request))
        {
            if (_requests.Count >= options.PushRequestsMax)
            {
                return null;
            }
            _requests.Add(name, request = new PushedRequest());
        }
        request.LastUsed = time.GetTimestamp();
        return request;
    }

    private static RecordLease[] TakeHeld_NeedsLock(PushedRequest request)
    {
        RecordLease[] held = [.. request.Held];
        request.Held.Clear();
        return held;
    }

    /// <summary>Ends leases that were held for a request; their bytes count until the memory is free.</summary>
    private void GiveBack(IReadOnlyCollection<RecordLease> held)
    {
        var bytes = held.Sum(lease => (long)lease.RecordBytes);
        foreach (var lease in held)
        {
            lease.Dispose();
        }
        Interlocked.Add(ref _bytes, -bytes);
    }

    private static (AgentIdentity, string) NameOf(HandoverParams lender) => (new AgentIdentity(lender.EngineId, lender.Generation), lender.RequestId);

    private PrepareReply Refuse(TransferError error, string message)
    {
        counters.PushesRefused.Add();
        return PrepareReply.Refused(error, message);
    }

    private sealed record Opened(ITransferAgent Agent, MemoryRegion Region, string KeyAlgorithm);
}
