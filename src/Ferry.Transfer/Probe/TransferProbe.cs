using System.Diagnostics;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Probe;

/// <summary>Measures and checks the way to a peer, with memory that the peer lends for it.</summary>
/// <remarks>Not thread-safe: one measurement at a time.</remarks>
public sealed class TransferProbe : IAsyncDisposable
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    private readonly ITransferPeer _peer;
    private readonly ProbeArena _arena;
    private readonly MemoryRegion _region;
    private readonly LocateReply _lent;
    private readonly LocatedRecord _place;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _beating;

    private TransferProbe(ITransferPeer peer, ProbeArena arena, MemoryRegion region, LocateReply lent, TimeProvider clock)
    {
        (_peer, _arena, _region, _lent, _place, _clock) = (peer, arena, region, lent, lent.Records[0], clock);
        _beating = BeatAsync();
    }

    /// <summary>Bytes that the peer has lent: the most that one transfer may have.</summary>
    public long Bytes => _place.Bytes;

    /// <summary>Asks the peer for memory and takes as much here. Null and why if the peer lends none.</summary>
    /// <param name="bytes">Wanted; the peer may lend less.</param>
    /// <exception cref="InsufficientMemoryException">This machine does not have that much.</exception>
    public static async Task<(TransferProbe? Probe, TransferOutcome Outcome)> OpenAsync(
        ITransferAgent agent, ITransferPeer peer, long bytes, ProbeMemory memory, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (outcome, reply) = await peer.LocateAsync(ProbeQuestion.Ask(bytes, memory), cancellationToken);
        if (reply is not { Records: [{ Bytes: >= 1 } place] } || place.Bytes > bytes)
        {
            return (null, outcome.IsSuccess
                ? TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.ProtocolViolation, "The peer lent no range, or one that was not asked for.")
                : outcome);
        }
        var arena = new ProbeArena(place.Bytes, memory);
        return (new TransferProbe(peer, arena, agent.Register(arena.Address, arena.Bytes, arena.Backing), reply, clock), outcome);
    }

    /// <summary>Keeps transfers in flight for the duration of the cell.</summary>
    /// <param name="progress">Told the bytes moved so far, often; or null.</param>
    public async Task<ProbeSample> RunAsync(ProbeCell cell, Action<long>? progress, CancellationToken cancellationToken)
    {
        if (cell.Bytes > Bytes || cell.Bytes / cell.Pieces < 1)
        {
            throw new ArgumentException($"A transfer of {cell.Bytes} bytes in {cell.Pieces} pieces does not fit the {Bytes} bytes that were lent.", nameof(cell));
        }
        var plans = Plan(cell);
        var latencies = new List<TimeSpan>[cell.Depth];
        TransferOutcome? failure = null;
        long moved = 0;
        var next = -1;
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var begun = _clock.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, cell.Depth).Select(async worker =>
        {
            var mine = latencies[worker] = [];
            while (failure is null && _clock.GetElapsedTime(begun) < cell.Duration && !cancellationToken.IsCancellationRequested)
            {
                var plan = plans[(int)((uint)Interlocked.Increment(ref next) % plans.Count)];
                var started = _clock.GetTimestamp();
                var outcome = cell.Direction == TransferDirection.Read
                    ? await _peer.ReadAsync(plan, cancellationToken)
                    : await _peer.WriteAsync(plan, cancellationToken);
                if (!outcome.IsSuccess)
                {
                    failure ??= outcome;
                    break;
                }
                mine.Add(_clock.GetElapsedTime(started));
                var sum = Interlocked.Add(ref moved, cell.Bytes);
                progress?.Invoke(sum);
            }
        }));
        var elapsed = _clock.GetElapsedTime(begun);
        process.Refresh();
        return new ProbeSample(moved, elapsed, process.TotalProcessorTime - cpu, [.. latencies.SelectMany(one => one).Order()], failure);
    }

    /// <summary>Writes bytes that a seed repeats to the peer, reads them back and compares. A success means that every byte came back as it was.</summary>
    public async Task<TransferOutcome> VerifyAsync(int seed, CancellationToken cancellationToken)
    {
        var half = (int)Math.Min(_arena.Bytes / 2, 8 << 20);
        if (half < 1)
        {
            return TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Remote, TransferError.OutOfRange, "The peer lent too little to compare anything.");
        }
        var sent = _arena.Span(0, half);
#pragma warning disable RS0030 // Seeded: the bytes are the same in every run.
        new Random(seed).NextBytes(sent);
#pragma warning restore RS0030
        var back = _arena.Span(half, half);
        back.Clear();
        var write = await _peer.WriteAsync(new[] { Descriptor(0, half, 0) }, cancellationToken);
        if (!write.IsSuccess)
        {
            return write;
        }
        var read = await _peer.ReadAsync(new[] { Descriptor(0, half, half) }, cancellationToken);
        return !read.IsSuccess || _arena.Span(0, half).SequenceEqual(_arena.Span(half, half))
            ? read
            : TransferOutcome.Failed(TransferPhase.Verify, TransferSide.Remote, TransferError.ChecksumMismatch, $"Of {half} bytes written and read back, not all are the same.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _beating;
        using var patience = new CancellationTokenSource(HeartbeatInterval, _clock);
        await _peer.ReleaseAsync(new ReleaseRequest(ProbeQuestion.RequestId, _lent.LeaseId, Completed: true), patience.Token);
        await _region.DisposeAsync();
        _arena.Dispose();
        _stopping.Dispose();
    }

    private TransferDescriptor Descriptor(long remoteOffset, long bytes, long localOffset) =>
        new(_lent.RangeOf(_place with { Offset = _place.Offset + remoteOffset, Bytes = bytes }), _region, localOffset);

    // Pieces are taken out of order and, where the memory allows, with a gap, so that none touches the next in both memories.
    private List<TransferDescriptor[]> Plan(ProbeCell cell)
    {
        var pieceBytes = cell.Bytes / cell.Pieces;
        var slotCount = (int)Math.Clamp(Bytes / cell.Bytes, 1, 4096);
        var plans = new List<TransferDescriptor[]>(slotCount);
        for (var slot = 0; slot < slotCount; slot++)
        {
            var plan = new TransferDescriptor[cell.Pieces];
            for (var i = 0; i < cell.Pieces; i++)
            {
                var at = slot * cell.Bytes + (i ^ 1) % cell.Pieces * pieceBytes;
                plan[i] = Descriptor(at, pieceBytes, at);
            }
            plans.Add(plan);
        }
        return plans;
    }

    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(HeartbeatInterval, _clock, _stopping.Token);
                await _peer.ExtendAsync(new ExtendRequest([new LeaseHold(ProbeQuestion.RequestId, _lent.LeaseId)], TimeSpan.FromSeconds(30)), _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The probe closes.
        }
    }
}
