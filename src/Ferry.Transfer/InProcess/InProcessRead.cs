using System.Buffers;
using System.IO.Hashing;
using Ferry.Transfer.Reads;

namespace Ferry.Transfer.InProcess;

/// <summary>One read of an in-process peer: segments travel as messages, several at a time.</summary>
internal sealed class InProcessRead(InProcessPeer peer, ReadPlan plan, CancellationToken callers, CancellationToken closing)
{
    private readonly Lock _gate = new();
    private readonly bool[] _isDelivered = new bool[plan.Segments.Count];
    private TransferOutcome? _failure;
    private int _nextSegment = -1;

    private ReadLimits Limits => peer.Local.Core.Options.Reads;

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
        var requestBytes = ReadCodec.RequestBytes(segment);
        var request = ArrayPool<byte>.Shared.Rent(requestBytes);
        var wire = ArrayPool<byte>.Shared.Rent(segment.Bytes);
        using var timeout = new CancellationTokenSource(options.DeadAfter, options.Clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(callers, closing, timeout.Token);
        try
        {
            ReadCodec.WriteRequest(request, plan, segment, Limits.Checksum);
            var fate = await peer.Network.CarryAsync(peer.Local.Endpoint, peer.Server.Endpoint, deadline.Token);
            var (status, checksum) = await ServeAsync(request.AsMemory(0, requestBytes), wire, deadline.Token);
            if (fate.IsDuplicated && status == TransferError.None)
            {
                (status, checksum) = await ServeAsync(request.AsMemory(0, requestBytes), wire, deadline.Token);
            }
            fate = await peer.Network.CarryAsync(peer.Server.Endpoint, peer.Local.Endpoint, deadline.Token);
            if (status != TransferError.None)
            {
                return Nack.ToOutcome(status, segment, "to");
            }
            InProcessNetwork.Corrupt(fate, wire.AsSpan(0, segment.Bytes));
            var delivered = Deliver(index, wire.AsSpan(0, segment.Bytes), checksum);
            return fate.IsDuplicated ? DeliverTwice(index, wire.AsSpan(0, segment.Bytes), checksum, delivered) : delivered;
        }
        catch (OperationCanceledException)
        {
            return peer.Interrupted(TransferPhase.Read, $"A read of {plan.Bytes} bytes", callers);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(wire);
            ArrayPool<byte>.Shared.Return(request);
        }
    }

    // The owner's side: exactly what an agent with a socket does, with an array in place of the socket.
    private async Task<(TransferError Status, ulong Checksum)> ServeAsync(
        ReadOnlyMemory<byte> request, byte[] wire, CancellationToken deadline)
    {
        var owner = peer.Server;
        owner.Stopping.ThrowIfCancellationRequested();
        var served = new ServedRead(owner.Core.Regions, owner.Core.Leases);
        var status = served.Begin(request.Span);
        if (status != TransferError.None)
        {
            return (status, 0);
        }
        try
        {
            var written = 0;
            foreach (var piece in served.Pieces)
            {
                // A lease can end between any two pieces, as it can on a slow socket.
                await Task.Yield();
                deadline.ThrowIfCancellationRequested();
                if (piece.Region.IsClosing)
                {
                    break;
                }
                piece.Region.Span(piece.Offset, piece.Bytes).CopyTo(wire.AsSpan(written));
                written += piece.Bytes;
            }
            var checksum = served.WantsChecksum ? XxHash3.HashToUInt64(wire.AsSpan(0, written)) : 0;
            return (served.Check(), checksum);
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
            bytes[..piece.Bytes].CopyTo(piece.Target.Span(piece.TargetOffset, piece.Bytes));
            bytes = bytes[piece.Bytes..];
        }
        return TransferOutcome.Success(TransferPhase.Read);
    }

    // A second copy of a segment that has come must change nothing, whatever it holds.
    private TransferOutcome DeliverTwice(int index, ReadOnlySpan<byte> bytes, ulong checksum, TransferOutcome first) =>
        _isDelivered[index] ? first : Deliver(index, bytes, checksum);
}
