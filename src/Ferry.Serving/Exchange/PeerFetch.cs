using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange.Push;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>Fetches chunks from the peer that holds them: asks where they lie, reads them into the own arena, proves every record.</summary>
internal sealed class PeerFetch(
    PeerConnections peers, MemoryRegion arena, RecordCache cache, KvExchangeOptions options, string keyAlgorithm, ReportBook reports,
    TimeProvider time, ILogger logger)
{
    // vLLM's interval: six heartbeats in a lease, so that one lost or late does not end it.
    private const int HeartbeatsPerLease = 6;

    /// <summary>Brings what it can of the chunks into memory.</summary>
    /// <returns>Leases of the records that came, so that they stay until the caller has leased the chunks. Empty, and the trace says why, when nothing came.</returns>
    public async Task<List<RecordLease>> FetchAsync(
        LoadPlan plan, IReadOnlyList<WantedChunk> chunks, Func<WantedChunk, ChunkQuery> queryOf, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        var peer = await ConnectAsync(plan, cancellationToken);
        if (peer is null)
        {
            plan.Trace.Update(report => report with { HandshakeTime = time.GetElapsedTime(begun) });
            return [];
        }
        var located = await LocateAsync(peer, plan, chunks, cancellationToken);
        plan.Trace.Update(report => report with { HandshakeTime = time.GetElapsedTime(begun) });
        if (located is null)
        {
            return [];
        }
        plan.GrantId = located.LeaseId;
        using var stopBeating = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var heartbeat = BeatAsync(peer, plan, located.LeaseId, stopBeating.Token);
        try
        {
            return await ReadAsync(peer, located, plan, chunks, queryOf, cancellationToken);
        }
        finally
        {
            await stopBeating.CancelAsync();
            await heartbeat;
        }
    }

    /// <summary>Tells the lender that the request's chunks may go. Quiet: a lender that does not hear it lets them expire.</summary>
    /// <param name="grantId">The grant for reading, or 0 when there was none.</param>
    /// <param name="took">What the hand-over took, of whatever medium; null: the lender does not want to know.</param>
    public async Task ReleaseAsync(HandoverParams lender, ulong grantId, bool completed, HandedOver? took, CancellationToken cancellationToken)
    {
        var connected = await peers.GetAsync(lender.Endpoint, cancellationToken);
        if (connected.Peer is { } peer && peer.Remote.Identity.Generation == lender.Generation)
        {
            await peer.ReleaseAsync(new ReleaseRequest(lender.LeaseId, grantId, completed), cancellationToken);
            if (took is not null)
            {
                await peer.NotifyAsync(PushNotice.Encode(took with { Medium = peer.Medium.Name }), cancellationToken);
            }
        }
    }

    private async Task<ITransferPeer?> ConnectAsync(LoadPlan plan, CancellationToken cancellationToken)
    {
        var lender = plan.Lender!;
        plan.Trace.Update(report => report with { Peer = lender.EngineId });
        var connected = await peers.GetAsync(lender.Endpoint, cancellationToken);
        if (connected.Peer is not { } peer)
        {
            return Give($"peer unreachable at {lender.Endpoint}: {connected.Outcome}", failed: true);
        }
        var remote = peer.Remote;
        if (remote.Identity.EngineId != lender.EngineId)
        {
            return Give($"{lender.Endpoint} is engine {remote.Identity.EngineId}, not {lender.EngineId}: remote_host or remote_port leads to another node");
        }
        if (remote.Identity.Generation != lender.Generation)
        {
            return Give("peer restarted: what it lent is gone");
        }
        return PeerFit.FindFault(remote.Kv, options, keyAlgorithm) is { } fault ? Give(fault) : peer;

        ITransferPeer? Give(string reason, bool failed = false)
        {
            plan.Trace.Explain(reason);
            if (failed)
            {
                reports.Counters.LoadFailures.Add();
            }
            return null;
        }
    }

    private async Task<LocateReply?> LocateAsync(
        ITransferPeer peer, LoadPlan plan, IReadOnlyList<WantedChunk> chunks, CancellationToken cancellationToken)
    {
        var request = new LocateRequest(plan.Lender!.LeaseId, plan.Salt, options.Model, [.. chunks.Select(chunk => chunk.Key.Hash)]);
        var result = await peer.LocateAsync(request, cancellationToken);
        if (result.Outcome is { IsSuccess: true } && result.Reply is { Error: TransferError.None } reply)
        {
            return reply;
        }
        var (error, message) = result.Reply is { } refusal ? (refusal.Error, refusal.Message) : (result.Outcome.Error, result.Outcome.Message);
        Explain(plan, error, message);
        return null;
    }

    private async Task<List<RecordLease>> ReadAsync(
        ITransferPeer peer, LocateReply reply, LoadPlan plan, IReadOnlyList<WantedChunk> chunks, Func<WantedChunk, ChunkQuery> queryOf,
        CancellationToken cancellationToken)
    {
        var kept = new List<RecordLease>();
        List<Incoming> arrived = [];
        try
        {
            foreach (var batch in Cut(reply, chunks.Count))
            {
                var incoming = Reserve(batch, plan);
                var reading = ReadBatchAsync(peer, reply, incoming, plan, cancellationToken);
                var isRead = false;
                try
                {
                    Prove(arrived, chunks, queryOf, plan, kept); // While the next bytes are on their way.
                }
                finally
                {
                    isRead = await reading; // In any case: the room must not be given back under a read.
                    arrived = isRead ? incoming : GiveBack(incoming);
                }
                if (!isRead || incoming.Count < batch.Count)
                {
                    break;
                }
            }
            Prove(arrived, chunks, queryOf, plan, kept);
            return kept;
        }
        catch
        {
            GiveBack(arrived);
            kept.ForEach(lease => lease.Dispose());
            throw;
        }
    }

    private static List<Incoming> GiveBack(List<Incoming> incoming)
    {
        incoming.ForEach(record => record.Reservation.Dispose());
        return [];
    }

    /// <summary>Records of whole chunks, in order, cut into reads of about <see cref="KvExchangeOptions.PeerReadBytes"/>. What the peer says is checked here.</summary>
    private List<List<LocatedRecord>> Cut(LocateReply reply, int chunkCount)
    {
        var batches = new List<List<LocatedRecord>>();
        var bytes = 0L;
        foreach (var chunk in reply.Records
            .Where(record => record.ChunkIndex >= 0 && record.ChunkIndex < chunkCount && record.Bytes > KvRecord.HeaderBytes && record.Bytes <= options.TierBounds.RecordBytesMax)
            .GroupBy(record => record.ChunkIndex).OrderBy(chunk => chunk.Key))
        {
            var records = chunk.Take(RecordStore.MaxRecordsPerChunk).ToArray();
            if (batches.Count == 0 || bytes + records.Sum(record => record.Bytes) > options.PeerReadBytes)
            {
                batches.Add([]);
                bytes = 0;
            }
            batches[^1].AddRange(records);
            bytes += records.Sum(record => record.Bytes);
        }
        return batches;
    }

    private List<Incoming> Reserve(List<LocatedRecord> records, LoadPlan plan)
    {
        var incoming = new List<Incoming>(records.Count);
        foreach (var record in records)
        {
            if (cache.Memory.TryReserve(record.Bytes) is not { } reservation)
            {
                plan.Trace.Explain("no room in memory");
                break;
            }
            incoming.Add(new Incoming(record, reservation));
        }
        return incoming;
    }

    private async Task<bool> ReadBatchAsync(
        ITransferPeer peer, LocateReply reply, List<Incoming> incoming, LoadPlan plan, CancellationToken cancellationToken)
    {
        if (incoming.Count == 0)
        {
            return false;
        }
        var begun = time.GetTimestamp();
        try
        {
            var descriptors = incoming.ConvertAll(record => new TransferDescriptor(reply.RangeOf(record.Located), arena, record.Reservation.ArenaOffset));
            var outcome = await peer.ReadAsync(descriptors.ToArray(), cancellationToken);
            if (!outcome.IsSuccess)
            {
                Explain(plan, outcome.Error, outcome.Message);
            }
            return outcome.IsSuccess;
        }
        finally
        {
            plan.Trace.Update(report => report with { TransferTime = report.TransferTime + time.GetElapsedTime(begun) });
        }
    }

    /// <summary>Publishes the records that are what they should be, and gives back the room of those that are not.</summary>
    private void Prove(
        List<Incoming> incoming, IReadOnlyList<WantedChunk> chunks, Func<WantedChunk, ChunkQuery> queryOf, LoadPlan plan, List<RecordLease> kept)
    {
        var begun = time.GetTimestamp();
        foreach (var record in incoming)
        {
            using var reservation = record.Reservation;
            var chunk = chunks[record.Located.ChunkIndex];
            if (!KvRecord.TryRead(reservation.Record.Span, out var header, out var error))
            {
                Damaged(plan, chunk, error.ToString());
            }
            else if (header.Key != chunk.Key || header.Layout.Tokens != chunk.TokenCount || header.FirstToken != chunk.FirstToken)
            {
                Damaged(plan, chunk, "it is another record than was asked for");
            }
            else if (queryOf(chunk).IsUsable?.Invoke(ShardCover.FamilyOf(header.Layout)) == false)
            {
                plan.Trace.Explain($"no conversion from {header.Layout}");
                ExchangeLog.NoConversion(logger, plan.Lender!.EngineId, $"{header.Layout} to {chunk.Targets[0]}");
            }
            else
            {
                kept.Add(reservation.CommitVerified(header));
            }
        }
        incoming.Clear();
        plan.Trace.AddVerified(records: 0, time.GetElapsedTime(begun)); // They count where they are leased.
    }

    private void Damaged(LoadPlan plan, WantedChunk chunk, string error)
    {
        reports.Counters.ChecksumFailures.Add();
        plan.Trace.AddDamaged();
        plan.Trace.Explain("a record was damaged on the way");
        ExchangeLog.RecordDamaged(logger, chunk.Key.Hash.ToString(), plan.Lender!.EngineId, error);
    }

    private void Explain(LoadPlan plan, TransferError error, string message)
    {
        var isNack = error is TransferError.LeaseExpired or TransferError.LeaseUnknown or TransferError.LeaseRevoked or TransferError.GenerationMismatch;
        plan.Trace.Explain(error switch
        {
            TransferError.LeaseExpired or TransferError.LeaseUnknown or TransferError.LeaseRevoked => $"lease expired: {message}",
            TransferError.GenerationMismatch => "peer restarted: what it lent is gone",
            TransferError.ConnectionLost or TransferError.TimedOut or TransferError.Closed => $"peer lost: {message}",
            TransferError.Cancelled => "nothing more within the load deadline",
            _ => $"{error}: {message}",
        });
        if (isNack)
        {
            plan.Trace.Update(report => report with { Nacks = report.Nacks + 1 });
            reports.Counters.Nacks.Add();
        }
        else if (error != TransferError.Cancelled)
        {
            reports.Counters.LoadFailures.Add(); // A deadline is counted by the load itself.
        }
    }

    private async Task BeatAsync(ITransferPeer peer, LoadPlan plan, ulong grantId, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.LeaseDuration / HeartbeatsPerLease, time, cancellationToken);
                await peer.ExtendAsync(new ExtendRequest([new LeaseHold(plan.Lender!.LeaseId, grantId)], options.LeaseDuration * 2 / 3), cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The read is over.
        }
    }

    private readonly record struct Incoming(LocatedRecord Located, RecordReservation Reservation);
}
