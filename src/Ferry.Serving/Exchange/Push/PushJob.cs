using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Ferry.Serving.Options;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;

namespace Ferry.Serving.Exchange.Push;

/// <summary>Pushes one request's chunks to its decode node while later ones, or their own later layers, are computed. Whatever goes wrong ends the push: the decode node pulls what it lacks.</summary>
/// <remarks>The engine's thread adds, touches and completes, and never waits; the rest is the job's own task.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "The job's own task disposes it.")]
internal sealed class PushJob
{
    private readonly PushLine _line;
    private readonly string _requestId;
    private readonly DecodeTarget _target;
    private readonly CancellationTokenSource _cancel;
    private readonly Channel<PushedChunk> _queue;
    private readonly HashSet<PushedChunk> _open = []; // Taken from the queue and not disposed. The task's own.
    private readonly Lock _lock = new();
    private readonly List<PushGrant> _grants = []; // Under the lock: the heartbeat reads them.
    private TimeSpan _beat = Timeout.InfiniteTimeSpan;

    public PushJob(PushLine line, string requestId, DecodeTarget target, HandoverMode mode, CancellationToken stop)
    {
        (_line, _requestId, _target, Mode) = (line, requestId, target, mode);
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _queue = Channel.CreateBounded<PushedChunk>(new BoundedChannelOptions(line.Options.PushQueueMax) { SingleReader = true, SingleWriter = true });
        Completion = Task.Run(RunAsync, CancellationToken.None);
    }

    public HandoverMode Mode { get; }

    /// <summary>Ends when nothing is pushed any more. Never faults.</summary>
    public Task Completion { get; }

    /// <summary>A chunk is to be pushed.</summary>
    /// <param name="chunk">Owned from now on.</param>
    /// <returns>False: nothing is pushed any more, and the chunk is disposed.</returns>
    public bool TryAdd(PushedChunk chunk)
    {
        chunk.TryEnqueue();
        if (_queue.Writer.TryWrite(chunk))
        {
            return true;
        }
        chunk.Dispose();
        _queue.Writer.TryComplete(); // Chunks behind a gap are worth less than the time that they take.
        return false;
    }

    /// <summary>More of a chunk that was added is computed.</summary>
    public void Touch(PushedChunk chunk)
    {
        if (chunk.TryEnqueue() && !_queue.Writer.TryWrite(chunk))
        {
            _queue.Writer.TryComplete();
        }
    }

    /// <summary>No more comes; what is queued still goes.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    public void Cancel()
    {
        _queue.Writer.TryComplete();
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    private async Task RunAsync()
    {
        var beating = Task.CompletedTask;
        using var stopBeating = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token);
        try
        {
            if (await ConnectAsync() is { } peer)
            {
                while (await _queue.Reader.WaitToReadAsync(_cancel.Token) && await PushAsync(peer, Take()))
                {
                    beating = beating.IsCompleted && _beat > TimeSpan.Zero ? BeatAsync(peer, stopBeating.Token) : beating;
                }
                await GiveBackAsync(peer);
            }
        }
        catch (OperationCanceledException)
        {
            // The request was aborted, or the node closes.
        }
        catch (Exception error) // The edge of the task: nobody waits for its answer.
        {
            ExchangeLog.PushFailed(_line.Logger, _requestId, _target.EngineId, error);
        }
        finally
        {
            await stopBeating.CancelAsync();
            await beating;
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var chunk))
            {
                _open.Add(chunk);
            }
            foreach (var chunk in _open.Where(chunk => !chunk.IsDisposed))
            {
                chunk.Dispose(); // No transfer reads it any more.
            }
            _cancel.Dispose();
        }
    }

    private async Task<ITransferPeer?> ConnectAsync()
    {
        var connected = await _line.Peers.GetAsync(_target.Endpoint, _cancel.Token);
        var reason = connected.Peer is not { } peer ? $"{_target.Endpoint} is not reached: {connected.Outcome}"
            : peer.Remote.Identity.EngineId != _target.EngineId ? $"{_target.Endpoint} is engine {peer.Remote.Identity.EngineId}"
            : PeerFit.FindFault(peer.Remote.Kv, _line.Options, _line.KeyAlgorithm);
        if (reason is not null)
        {
            ExchangeLog.PushStopped(_line.Logger, _requestId, _target.EngineId, reason);
            return null;
        }
        return connected.Peer;
    }

    /// <summary>All that waits, up to what one transfer should have.</summary>
    private List<PushedChunk> Take()
    {
        var chunks = new List<PushedChunk>();
        var bytes = 0L;
        while (bytes < _line.Options.PeerReadBytes && _queue.Reader.TryRead(out var chunk))
        {
            chunk.Dequeued();
            if (chunk.IsDisposed)
            {
                continue; // Sealed while it was sent, and queued once more.
            }
            _open.Add(chunk);
            chunks.Add(chunk);
            bytes += chunk.Bytes;
        }
        return chunks;
    }

    /// <returns>Whether to go on.</returns>
    private async Task<bool> PushAsync(ITransferPeer peer, List<PushedChunk> chunks)
    {
        PushedChunk[] fresh = [.. chunks.Where(chunk => !chunk.IsPrepared)];
        if (fresh.Length > 0 && !await PrepareAsync(peer, fresh))
        {
            return false;
        }
        var descriptors = new List<TransferDescriptor>();
        foreach (var chunk in chunks)
        {
            if (chunk.Grant is not { } grant)
            {
                Close(chunk); // The peer has it, or has no room for it.
                continue;
            }
            foreach (var (shard, offset, bytes) in chunk.TakeReady())
            {
                var place = grant.Reply.RangeOf(chunk.Places[shard]);
                descriptors.Add(new TransferDescriptor(place with { Offset = place.Offset + offset, Bytes = bytes }, _line.Arena, chunk.Shards[shard].ArenaOffset + offset));
            }
        }
        if (descriptors.Count > 0)
        {
            var written = await peer.WriteAsync(descriptors.ToArray(), _cancel.Token);
            if (!written.IsSuccess)
            {
                return Stopped(written);
            }
            _line.Counters.BytesPushed.Add(written.Bytes);
            _line.Counters.BytesPushedEarly.Add(chunks.All(chunk => !chunk.IsSealed) ? written.Bytes : 0);
        }
        return await TellWrittenAsync(peer, chunks);
    }

    /// <returns>Whether to go on: what the peer has already it need not be sent, but where it has no room for one chunk, later ones are of no use.</returns>
    private async Task<bool> PrepareAsync(ITransferPeer peer, PushedChunk[] chunks)
    {
        var pieces = chunks.SelectMany(chunk => chunk.Shards.Select((shard, rank) => new PreparedPiece(chunk.Key.Hash, rank, shard.RecordBytes))).ToArray();
        var prepared = await peer.PrepareAsync(new PrepareRequest(_requestId, chunks[0].Key.Salt, chunks[0].Key.Model, pieces), _cancel.Token);
        Array.ForEach(chunks, chunk => chunk.IsPrepared = true);
        if (prepared.Reply is not { } reply)
        {
            if (prepared.Outcome.Error is not (TransferError.Overloaded or TransferError.NotFound))
            {
                return Stopped(prepared.Outcome);
            }
            ExchangeLog.PushNotWanted(_line.Logger, _requestId, _target.EngineId, prepared.Outcome.Message);
            return prepared.Outcome.Error == TransferError.NotFound;
        }
        var grant = new PushGrant(reply);
        var places = reply.Places.ToDictionary(place => place.ChunkIndex);
        var first = 0;
        foreach (var chunk in chunks)
        {
            var indices = Enumerable.Range(first, chunk.Shards.Count);
            first += chunk.Shards.Count;
            if (indices.All(places.ContainsKey))
            {
                (chunk.Grant, chunk.Places) = (grant, [.. indices.Select(index => places[index])]);
                grant.ChunksLeft++;
            }
        }
        lock (_lock)
        {
            _grants.Add(grant);
        }
        _beat = reply.LeaseLeft / 3; // So that one heartbeat lost or late does not end it.
        return true;
    }

    /// <summary>Tells of every lease whose chunks have all been written, and lets go of those.</summary>
    private async Task<bool> TellWrittenAsync(ITransferPeer peer, List<PushedChunk> chunks)
    {
        foreach (var chunk in chunks)
        {
            if (chunk.Grant is not { } grant || !chunk.IsSent || !_open.Contains(chunk))
            {
                continue;
            }
            Close(chunk);
            if (--grant.ChunksLeft > 0)
            {
                continue;
            }
            lock (_lock)
            {
                _grants.Remove(grant);
            }
            var told = await peer.NotifyAsync(PushNotice.EncodeWritten(grant.Reply.LeaseId), _cancel.Token);
            if (!told.IsSuccess)
            {
                return Stopped(told);
            }
        }
        return true;
    }

    private void Close(PushedChunk chunk)
    {
        // One whose layers still come is touched again; its bytes are held until it is sealed, so that nobody else's lie there.
        if (chunk.IsSealed && _open.Remove(chunk))
        {
            chunk.Dispose();
        }
    }

    /// <summary>Keeps the leases of chunks whose layers take long to compute.</summary>
    private async Task BeatAsync(ITransferPeer peer, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_beat, _line.Time, cancellationToken);
                LeaseHold[] holds;
                lock (_lock)
                {
                    holds = [.. _grants.Select(grant => new LeaseHold(string.Empty, grant.Reply.LeaseId))];
                }
                if (holds.Length > 0)
                {
                    await peer.ExtendAsync(new ExtendRequest(holds, _beat * 3), cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The push is over.
        }
    }

    /// <summary>Says why nothing more is pushed.</summary>
    private bool Stopped(TransferOutcome outcome)
    {
        if (outcome.Error != TransferError.Cancelled) // The request was aborted, or the node closes.
        {
            ExchangeLog.PushStopped(_line.Logger, _requestId, _target.EngineId, outcome.ToString());
        }
        return false;
    }

    /// <summary>Gives back the room that was not filled, so that who waits for these chunks need not wait for the lease's end.</summary>
    private async Task GiveBackAsync(ITransferPeer peer)
    {
        PushGrant[] grants;
        lock (_lock)
        {
            grants = [.. _grants];
        }
        foreach (var grant in grants)
        {
            await peer.ReleaseAsync(new ReleaseRequest(string.Empty, grant.Reply.LeaseId, Completed: false), _cancel.Token);
        }
    }
}
