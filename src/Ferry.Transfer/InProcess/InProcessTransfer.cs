using System.Buffers;
using System.IO.Hashing;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.InProcess;

/// <summary>One transfer of an in-process peer: segments travel as messages, several at a time.</summary>
internal sealed class InProcessTransfer(InProcessPeer peer, TransferPlan plan, CancellationToken callers, CancellationToken closing)
{
    private readonly Lock _gate = new();
    private readonly bool[] _isDelivered = new bool[plan.Segments.Count];
    private TransferOutcome? _failure;
    private int _nextSegment = -1;

    private TransferLimits Limits => peer.Local.Core.Options.Transfers;

    private TransferFlags Flags => Limits.Checksum ? TransferFlags.Checksum : TransferFlags.None;

    public async Task<TransferOutcome> RunAsync()
    {
        var streams = new Task[Math.Min(Limits.SegmentsInFlight, plan.Segments.Count)];
        for (var i = 0; i < streams.Length; i++)
        {
            streams[i] = RunStreamAsync();
        }
        await Task.WhenAll(streams);
        return _failure ?? TransferOutcome.Success(TransferPhase.Verify, plan.Bytes);
    }

    private async Task RunStreamAsync()
    {
        while (_failure is null && Interlocked.Increment(ref _nextSegment) is var index && index < plan.Segments.Count)
        {
            if (await TransferAsync(index) is { IsSuccess: false } failure)
            {
                lock (_gate)
                {
                    _failure ??= failure; // the first one tells why; the others follow from it
                }
            }
        }
    }

    private async Task<TransferOutcome> TransferAsync(int index)
    {
        var options = peer.Local.Core.Options;
        var segment = plan.Segments[index];
        var requestBytes = TransferCodec.RequestBytes(segment);
        var request = ArrayPool<byte>.Shared.Rent(requestBytes);
        var wire = ArrayPool<byte>.Shared.Rent(plan.InPlace is null ? segment.Bytes : 0);
        using var timeout = new CancellationTokenSource(options.DeadAfter, options.Clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(callers, closing, timeout.Token);
        try
        {
            TransferCodec.WriteRequest(request, plan, segment, Flags);
            return plan.InPlace is { } reading
                ? await ReadInPlaceAsync(segment, request.AsMemory(0, requestBytes), reading, deadline.Token)
                : plan.Direction == TransferDirection.Read
                ? await ReadAsync(index, request.AsMemory(0, requestBytes), wire.AsMemory(0, segment.Bytes), deadline.Token)
                : await WriteAsync(segment, request.AsMemory(0, requestBytes), wire.AsMemory(0, segment.Bytes), deadline.Token);
        }
        catch (OperationCanceledException)
        {
            return peer.Interrupted(plan.Phase, $"A {plan.Direction} of {plan.Bytes} bytes", callers);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(wire);
            ArrayPool<byte>.Shared.Return(request);
        }
    }

    private async Task<TransferOutcome> ReadAsync(int index, ReadOnlyMemory<byte> request, Memory<byte> wire, CancellationToken deadline)
    {
        var fate = await peer.Network.CarryAsync(peer.Local.Endpoint, peer.Server.Endpoint, deadline);
        var (status, checksum) = await ServeAsync(request, wire, deadline);
        if (fate.IsDuplicated && status == TransferError.None)
        {
            (status, checksum) = await ServeAsync(request, wire, deadline);
        }
        fate = await peer.Network.CarryAsync(peer.Server.Endpoint, peer.Local.Endpoint, deadline);
        if (status != TransferError.None)
        {
            return Nack.ToOutcome(status, plan.Segments[index], plan.Phase, "to");
        }
        InProcessNetwork.Corrupt(fate, wire.Span);
        var delivered = Deliver(index, wire.Span, checksum);
        // A second copy of a segment that has come must change nothing, whatever it holds.
        return fate.IsDuplicated && !_isDelivered[index] ? Deliver(index, wire.Span, checksum) : delivered;
    }

    private async Task<TransferOutcome> ReadInPlaceAsync(TransferSegment segment, ReadOnlyMemory<byte> request, InPlaceRead reading, CancellationToken deadline)
    {
        await peer.Network.CarryAsync(peer.Local.Endpoint, peer.Server.Endpoint, deadline);
        var status = await ServeInPlaceAsync(request, reading, deadline);
        await peer.Network.CarryAsync(peer.Server.Endpoint, peer.Local.Endpoint, deadline);
        return status == TransferError.None ? TransferOutcome.Success(TransferPhase.Read) : Nack.ToOutcome(status, segment, plan.Phase, "to");
    }

    private async Task<TransferOutcome> WriteAsync(TransferSegment segment, ReadOnlyMemory<byte> request, Memory<byte> wire, CancellationToken deadline)
    {
        var rest = wire;
        for (var pieces = plan.PiecesOf(segment); pieces.MoveNext(); rest = rest[pieces.Current.Bytes..])
        {
            pieces.Current.Local.Span(pieces.Current.LocalOffset, pieces.Current.Bytes).CopyTo(rest.Span);
        }
        var checksum = Limits.Checksum ? XxHash3.HashToUInt64(wire.Span) : 0;
        var fate = await peer.Network.CarryAsync(peer.Local.Endpoint, peer.Server.Endpoint, deadline);
        InProcessNetwork.Corrupt(fate, wire.Span);
        var (status, _) = await ServeAsync(request, wire, deadline, checksum);
        if (fate.IsDuplicated && status == TransferError.None)
        {
            (status, _) = await ServeAsync(request, wire, deadline, checksum);
        }
        await peer.Network.CarryAsync(peer.Server.Endpoint, peer.Local.Endpoint, deadline);
        return status == TransferError.None ? TransferOutcome.Success(TransferPhase.Write) : Nack.ToOutcome(status, segment, plan.Phase, "to");
    }

    // The owner's side: exactly what an agent with a socket does, with an array in place of the socket.
    private async Task<(TransferError Status, ulong Checksum)> ServeAsync(
        ReadOnlyMemory<byte> request, Memory<byte> wire, CancellationToken deadline, ulong writersChecksum = 0)
    {
        var owner = peer.Server;
        owner.Stopping.ThrowIfCancellationRequested();
        var served = new ServedTransfer(owner.Core.Regions, owner.Core.Leases);
        var status = served.Begin(plan.Direction, request.Span, out _);
        if (status != TransferError.None)
        {
            return (status, 0);
        }
        try
        {
            var moved = 0;
            foreach (var piece in served.Pieces)
            {
                // A lease can end between any two pieces, as it can on a slow socket.
                await Task.Yield();
                deadline.ThrowIfCancellationRequested();
                if (served.Check() != TransferError.None)
                {
                    break;
                }
                var memory = piece.Region.Span(piece.Offset, piece.Bytes);
                var carried = wire.Span.Slice(moved, piece.Bytes);
                if (plan.Direction == TransferDirection.Read)
                {
                    memory.CopyTo(carried);
                }
                else
                {
                    carried.CopyTo(memory);
                }
                moved += piece.Bytes;
            }
            var checksum = served.WantsChecksum ? XxHash3.HashToUInt64(wire.Span[..moved]) : 0;
            status = served.Check();
            return status == TransferError.None && plan.Direction == TransferDirection.Write && checksum != writersChecksum
                ? (TransferError.ChecksumMismatch, 0)
                : (status, checksum);
        }
        finally
        {
            served.End();
        }
    }

    private async Task<TransferError> ServeInPlaceAsync(ReadOnlyMemory<byte> request, InPlaceRead reading, CancellationToken deadline)
    {
        var owner = peer.Server;
        owner.Stopping.ThrowIfCancellationRequested();
        var served = new ServedTransfer(owner.Core.Regions, owner.Core.Leases);
        var status = served.Begin(plan.Direction, request.Span, out _);
        if (status != TransferError.None)
        {
            return status;
        }
        try
        {
            await Task.Yield(); // a lease can end before the reader begins
            deadline.ThrowIfCancellationRequested();
            var region = served.Pieces[0].Region;
            if (region.Id != reading.RegionId)
            {
                return TransferError.RegionUnknown;
            }
            reading.Mapped!(region.Address);
            return served.Check();
        }
        finally
        {
            served.End();
        }
    }

    private TransferOutcome Deliver(int index, ReadOnlySpan<byte> bytes, ulong checksum)
    {
        if (Limits.Checksum && XxHash3.HashToUInt64(bytes) != checksum)
        {
            return TransferOutcome.Failed(TransferPhase.Verify, TransferSide.Remote, TransferError.ChecksumMismatch,
                $"Segment {index} of {bytes.Length} bytes was damaged on the way.");
        }
        _isDelivered[index] = true;
        var pieces = plan.PiecesOf(plan.Segments[index]);
        while (pieces.MoveNext())
        {
            var piece = pieces.Current;
            bytes[..piece.Bytes].CopyTo(piece.Local.Span(piece.LocalOffset, piece.Bytes));
            bytes = bytes[piece.Bytes..];
        }
        return TransferOutcome.Success(TransferPhase.Read);
    }
}
