using Ferry.Kv.Conversion;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>The owner's side of hand-overs between paged pools: holds requests for readers, tells where they lie, packs on demand.</summary>
/// <remarks>
/// A handler of the side channel: what is none of its questions goes to the handler behind it. Give it to the agent's options, then
/// <see cref="Open"/> it with the agent; until then it refuses. Thread-safe.
/// </remarks>
/// <param name="inner">Answers everything else.</param>
public sealed class HandoverDesk(HandoverLimits limits, TimeProvider time, ISideChannelHandler? inner = null) : ISideChannelHandler, IAsyncDisposable
{
    private readonly HandoverLimits _limits = limits.ThrowIfInvalid();
    private readonly ISideChannelHandler _inner = inner ?? RefusingHandler.Instance;
    private readonly HandoverBook _book = new(limits.OfferCountMax);
    private volatile Opened? _open;

    /// <summary>Requests that are held.</summary>
    public int OfferCount => _book.Count;

    /// <summary>From now on requests can be offered and questions are answered.</summary>
    /// <param name="agent">Its <see cref="KvDescription.RankLayouts"/> are those of <paramref name="pools"/>.</param>
    /// <param name="pools">Rank 0 first.</param>
    /// <exception cref="ArgumentException">A pool is none; every error is listed.</exception>
    public void Open(ITransferAgent agent, IReadOnlyList<KvRankPool> pools)
    {
        var errors = pools.SelectMany((pool, rank) => pool.FindErrors().Select(error => $"rank {rank}: {error}")).ToArray();
        if (pools.Count is 0 or > KvDescription.RankCountMax || errors.Length > 0)
        {
            throw new ArgumentException($"{pools.Count} pools (1 to {KvDescription.RankCountMax} are possible): {string.Join("; ", errors)}", nameof(pools));
        }
        _open = new Opened(agent, pools, new HandoverPacker(agent, pools, _limits, time));
    }

    /// <summary>Holds a request's blocks for readers until they are done or the time runs out.</summary>
    /// <param name="tables">The block table of each rank, or one for all of them.</param>
    /// <param name="tokens">Tokens whose KV is in the blocks.</param>
    /// <param name="readers">Readers that are expected: when as many have said that they are done, the leases end.</param>
    /// <param name="ended">From then on nothing reads the blocks; called once, unless the offer was refused.</param>
    public TransferOutcome Offer(
        string requestId, IReadOnlyList<ReadOnlyMemory<int>> tables, int tokens, TimeSpan duration, int readers = 1, Action<LeaseEnd>? ended = null)
    {
        if (_open is not { } open)
        {
            return Refused(TransferError.Overloaded, "The desk is not open yet.");
        }
        ReadOnlyMemory<int>[] all = [.. open.Pools.Select((_, rank) => tables.Count == 1 ? tables[0] : rank < tables.Count ? tables[rank] : default)];
        if (FindError(open, requestId, tables.Count, all, tokens, readers) is { } error)
        {
            return Refused(TransferError.OutOfRange, error);
        }
        var offer = new HandoverOffer(requestId, all, tokens, readers, ended);
        if (!_book.TryAdd(offer))
        {
            return Refused(TransferError.Overloaded, $"Request '{requestId}' is offered already, or {_limits.OfferCountMax} are (OfferCountMax).");
        }
        return Grant(open, offer, duration);
    }

    /// <summary>Takes an offer back; its <c>ended</c> comes when nothing reads it any more. False if it is none.</summary>
    public bool Withdraw(string requestId) => _book.TryFind(requestId) is { } offer && End(offer, lease => _open!.Agent.Leases.Revoke(lease));

    public ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken) =>
        _inner.LocateAsync(peer, request, cancellationToken);

    public ValueTask<PrepareReply> PrepareAsync(PeerMetadata peer, PrepareRequest request, CancellationToken cancellationToken) =>
        _inner.PrepareAsync(peer, request, cancellationToken);

    public ValueTask<bool> NotifiedAsync(PeerMetadata peer, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _inner.NotifiedAsync(peer, message, cancellationToken);

    public async ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken)
    {
        if (_open is not { } open || !request.Holds.Any(hold => TryFind(hold) is not null))
        {
            return await _inner.ExtendAsync(peer, request, cancellationToken);
        }
        var others = request.Holds.Where(hold => TryFind(hold) is null).ToArray();
        var theirs = others.Length == 0 ? [] : await _inner.ExtendAsync(peer, request with { Holds = others }, cancellationToken);
        var (left, next) = (new TimeSpan[request.Holds.Count], 0);
        for (var index = 0; index < left.Length; index++)
        {
            left[index] = TryFind(request.Holds[index]) is { } offer
                // What a reader may rely on is the nearest end of all ranks'.
                ? offer.Leases.Min(lease => open.Agent.Leases.TryExtend(lease.Id, request.Duration) ?? TimeSpan.Zero)
                : next < theirs.Count ? theirs[next++] : TimeSpan.Zero;
        }
        return left;
    }

    public ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken)
    {
        if (_open is { } open && request.LeaseId != 0 && open.Packer.TryReturn(peer.Identity, request.LeaseId))
        {
            return ValueTask.CompletedTask;
        }
        var hold = new LeaseHold(request.RequestId, request.LeaseId);
        if (TryFind(hold) is not { } offer)
        {
            return _inner.ReleaseAsync(peer, request, cancellationToken);
        }
        if (offer.CountReaderDone())
        {
            End(offer, lease => _open!.Agent.Leases.Release(lease));
        }
        return ValueTask.CompletedTask;
    }

    public async ValueTask<AskReply> AskAsync(PeerMetadata peer, ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        var kind = HandoverCodec.KindOf(question.Span);
        if (kind == 0)
        {
            return await _inner.AskAsync(peer, question, cancellationToken);
        }
        if (_open is not { } open)
        {
            return AskReply.Refused(TransferError.Overloaded, "This node is starting; ask again.");
        }
        if (kind == HandoverCodec.KindTicket)
        {
            return HandoverCodec.DecodeTicketQuestion(question.Span) is { } requestId ? TicketOf(open, requestId) : Malformed();
        }
        if (HandoverCodec.DecodePack(question.Span) is not { } request)
        {
            return Malformed();
        }
        return _book.TryFind(request.LeaseId) is { Leases.Length: > 0 } offer
            ? await open.Packer.PackAsync(peer, offer, request, cancellationToken)
            : AskReply.Refused(TransferError.LeaseUnknown, "No request is held under this lease: it ran out, was released, or never was.");
    }

    /// <summary>Takes all offers back and frees the slots. The agent's own disposal ends leases too; this may come before or after it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _open, null) is { } open)
        {
            await open.Packer.DisposeAsync();
        }
    }

    private AskReply TicketOf(Opened open, string requestId)
    {
        if (_book.TryFind(requestId) is not { Leases.Length: > 0 } offer)
        {
            return AskReply.Refused(TransferError.NotFound, $"No request '{requestId}' is held here: it ran out, was released, or never was.");
        }
        var ranks = open.Pools.Select((pool, rank) => new HandoverRank(offer.Leases[rank].Id, pool.Region.Id, pool.Offset, offer.Tables[rank])).ToArray();
        var left = offer.Leases.Min(lease => open.Agent.Leases.TryGetLeft(lease.Id) ?? TimeSpan.Zero);
        return AskReply.Answered(HandoverCodec.Encode(new HandoverTicket(open.Agent.Identity.Generation, offer.Tokens, left, _limits.SlotBytes, ranks)));
    }

    private TransferOutcome Grant(Opened open, HandoverOffer offer, TimeSpan duration)
    {
        var leases = new Lease[open.Pools.Count];
        for (var rank = 0; rank < leases.Length; rank++)
        {
            var ranges = RangesOf(open.Pools[rank], offer, rank);
            var isLeasable = ranges.Length <= open.Agent.Leases.RangeCountMax;
            if (!isLeasable || open.Agent.Leases.TryGrant(ranges, duration, null, (_, end) => CountEnded(offer, end)) is not { } lease)
            {
                _book.Remove(offer);
                foreach (var granted in leases.Take(rank))
                {
                    open.Agent.Leases.Revoke(granted.Id); // ranks from this one on have none, so the offer's end is never told
                }
                return isLeasable
                    ? Refused(TransferError.Overloaded, "Too many leases are held, or the agent was disposed.")
                    : Refused(TransferError.TooManyDescriptors,
                        $"Rank {rank}: the blocks lie in {ranges.Length} separate pieces; a lease takes {open.Agent.Leases.RangeCountMax}. Raise Leases.RangeCountMax.");
            }
            leases[rank] = lease;
        }
        if (!_book.TryOpen(offer, leases))
        {
            return Refused(TransferError.LeaseExpired, $"The lease on request '{offer.RequestId}' ended before it began: {duration} is too short.");
        }
        return TransferOutcome.Success(TransferPhase.Prepare);
    }

    private void CountEnded(HandoverOffer offer, LeaseEnd end)
    {
        if (offer.CountLeaseEnded())
        {
            _book.Remove(offer);
            offer.End(end);
        }
    }

    private static LeaseRange[] RangesOf(KvRankPool pool, HandoverOffer offer, int rank)
    {
        // Blocks that touch are one range, so that a read of several is inside it.
        var runs = PagedRuns.Within(pool.Layout, offer.Tables[rank].Span, 0, pool.Layout.Layers, 0, offer.Tokens);
        return [.. runs.Select(run => new LeaseRange(pool.Region.Id, pool.Offset + run.SourceOffset, run.Bytes))];
    }

    private static string? FindError(Opened open, string requestId, int tableCount, ReadOnlyMemory<int>[] tables, int tokens, int readers)
    {
        if (requestId.Length is 0 or > SideChannelCodec.TextBytesMax / 3)
        {
            return $"A request id has 1 to {SideChannelCodec.TextBytesMax / 3} characters, not {requestId.Length}.";
        }
        if (tableCount != 1 && tableCount != tables.Length)
        {
            return $"{tableCount} block tables for {tables.Length} ranks: give one, or one each.";
        }
        if (tokens < 1 || readers < 1)
        {
            return $"{tokens} tokens for {readers} readers: both must be at least 1.";
        }
        for (var rank = 0; rank < tables.Length; rank++)
        {
            var layout = open.Pools[rank].Layout;
            var needed = (tokens + layout.BlockTokens - 1) / layout.BlockTokens;
            var poolBlocks = layout.Tokens / layout.BlockTokens;
            if (tables[rank].Length != needed || tables[rank].Span.ToArray().Distinct().Count() != needed
                || tables[rank].Span.ToArray().Any(block => (uint)block >= (uint)poolBlocks))
            {
                return $"Rank {rank}: {tokens} tokens need {needed} different blocks of {poolBlocks}; the table has {tables[rank].Length} entries.";
            }
        }
        return null;
    }

    private HandoverOffer? TryFind(LeaseHold hold)
    {
        var offer = hold.LeaseId != 0 ? _book.TryFind(hold.LeaseId) : null;
        offer ??= hold.RequestId.Length > 0 ? _book.TryFind(hold.RequestId) : null;
        return offer is { Leases.Length: > 0 } ? offer : null;
    }

    private static bool End(HandoverOffer offer, Predicate<ulong> end)
    {
        var any = false;
        foreach (var lease in offer.Leases)
        {
            any |= end(lease.Id);
        }
        return any;
    }

    private static AskReply Malformed() => AskReply.Refused(TransferError.ProtocolViolation, "The question is malformed.");

    private static TransferOutcome Refused(TransferError error, string message) =>
        TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, error, message);

    private sealed record Opened(ITransferAgent Agent, IReadOnlyList<KvRankPool> Pools, HandoverPacker Packer);
}
