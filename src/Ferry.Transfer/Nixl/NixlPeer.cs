using System.Collections.Concurrent;
using Ferry.Transfer.Ucx;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Nixl;

/// <summary>Another NIXL agent, as this one reaches it over UCX: its memory and its attention.</summary>
/// <remarks>Thread-safe. Outcomes are values; a peer that is lost stays lost: load its new metadata.</remarks>
public sealed class NixlPeer : IAsyncDisposable
{
    /// <summary>The active message of notifications since NIXL 0.6.</summary>
    internal const uint NotificationMessageId = 0;

    private readonly NixlAgent _agent;
    private readonly UcxEndpoint _endpoint;
    private readonly ConcurrentDictionary<NixlRegion, Lazy<Task<UcxRemoteKey>>> _keys = new();
    private volatile NixlMetadata _metadata;

    internal NixlPeer(NixlAgent agent, UcxEndpoint endpoint, NixlMetadata metadata)
    {
        _agent = agent;
        _endpoint = endpoint;
        _metadata = metadata;
    }

    public string Name => _metadata.AgentName;

    /// <summary>As last loaded.</summary>
    public NixlMetadata Metadata => _metadata;

    /// <summary>The transports that UCX chose, such as <c>tcp/eth0</c>.</summary>
    public Task<string> DescribeAsync() => _endpoint.DescribeAsync();

    /// <summary>Reads ranges of the peer's memory. On success all bytes are here; then the notification goes out, if there is one.</summary>
    /// <param name="cancellationToken">Cancelling ends the connection: UCX has no other way to end an operation at a peer that answers no more.</param>
    public Task<TransferOutcome> ReadAsync(IReadOnlyList<NixlMove> moves, ReadOnlyMemory<byte> notification, CancellationToken cancellationToken) =>
        MoveAsync(TransferDirection.Read, moves, notification, cancellationToken);

    /// <summary>Writes ranges of the peer's memory. On success all bytes are visible there; then the notification goes out, if there is one.</summary>
    public Task<TransferOutcome> WriteAsync(IReadOnlyList<NixlMove> moves, ReadOnlyMemory<byte> notification, CancellationToken cancellationToken) =>
        MoveAsync(TransferDirection.Write, moves, notification, cancellationToken);

    /// <summary>Sends a notification by itself.</summary>
    public async Task<TransferOutcome> NotifyAsync(ReadOnlyMemory<byte> message)
    {
        if (message.Length > _agent.Options.Limits.NotificationBytesMax)
        {
            return Refused(TransferError.TooManyBytes, $"A notification has at most {_agent.Options.Limits.NotificationBytesMax} bytes (NotificationBytesMax), not {message.Length}.");
        }
        var payload = NixlCodec.Encode(new NixlNotification(_agent.Name, message));
        var status = await _endpoint.SendMessageAsync(NotificationMessageId, default, payload);
        return status == UcsStatus.Ok ? TransferOutcome.Success(TransferPhase.SideChannel) : Lost(TransferPhase.SideChannel, status);
    }

    /// <summary>Ends the connection and forgets the peer.</summary>
    public async ValueTask DisposeAsync()
    {
        _agent.Forget(this);
        await _endpoint.DisposeAsync();
    }

    /// <summary>Whether metadata is that of this very connection: then only its regions may have changed.</summary>
    internal bool IsReachedBy(NixlConnection connection) =>
        _metadata.ConnectionOf(NixlMetadata.UcxBackend)!.Info.Span.SequenceEqual(connection.Info.Span);

    /// <summary>True once UCX has noticed that the peer is gone.</summary>
    internal bool IsLost => _endpoint.Failure != UcsStatus.Ok;

    /// <summary>Takes newer metadata. Regions that are still the same keep the key that was unpacked for them.</summary>
    internal void Update(NixlMetadata metadata)
    {
        var known = _metadata.Sections.SelectMany(section => section.Regions).ToLookup(region => region.Memory);
        _metadata = metadata with
        {
            Sections = [.. metadata.Sections.Select(section => section with
            {
                Regions = [.. section.Regions.Select(region =>
                    known[region.Memory].FirstOrDefault(old => old.RemoteKey.Span.SequenceEqual(region.RemoteKey.Span)) ?? region)],
            })],
        };
    }

    private async Task<TransferOutcome> MoveAsync(
        TransferDirection direction, IReadOnlyList<NixlMove> moves, ReadOnlyMemory<byte> notification, CancellationToken cancellationToken)
    {
        var held = new List<NixlMemory>();
        try
        {
            var pieces = new UcxPiece[moves.Count];
            var bytes = 0L;
            for (var index = 0; index < pieces.Length; index++)
            {
                var (piece, refusal) = await PrepareAsync(moves[index], index, held);
                if (piece is null)
                {
                    return refusal;
                }
                pieces[index] = piece.Value;
                bytes += pieces[index].Bytes;
            }
            var status = pieces.Length == 0 ? UcsStatus.Ok : await _endpoint.MoveOrCloseAsync(direction, pieces, cancellationToken);
            if (status != UcsStatus.Ok)
            {
                return cancellationToken.IsCancellationRequested
                    ? TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Cancelled, $"A transfer of {bytes} bytes with {Name} was cancelled; the connection has ended.")
                    : Lost(TransferPhase.Read, status);
            }
            if (!notification.IsEmpty && await NotifyAsync(notification) is { IsSuccess: false } unsent)
            {
                return unsent;
            }
            return TransferOutcome.Success(TransferPhase.Verify, bytes);
        }
        catch (UcxException exception)
        {
            return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.VersionMismatch, $"{Name}: {exception.Message}");
        }
        finally
        {
            held.ForEach(memory => memory.EndUse());
        }
    }

    private async Task<(UcxPiece? Piece, TransferOutcome Refusal)> PrepareAsync(NixlMove move, int index, List<NixlMemory> held)
    {
        var remote = move.Remote;
        if (remote.Bytes is 0 or > long.MaxValue || move.LocalOffset < 0 || remote.Bytes > move.Local.Range.Bytes
            || (ulong)move.LocalOffset > move.Local.Range.Bytes - remote.Bytes)
        {
            return (null, Refused(TransferError.OutOfRange, $"Move {index}: {remote.Bytes} bytes at {move.LocalOffset} do not lie in own memory of {move.Local.Range.Bytes} bytes."));
        }
        var region = Metadata.RegionOf(NixlMetadata.UcxBackend, NixlMemoryType.Dram, remote) ?? Metadata.RegionOf(NixlMetadata.UcxBackend, NixlMemoryType.Vram, remote);
        if (region is null)
        {
            return (null, Refused(TransferError.RegionUnknown,
                $"Move {index}: {Name} has registered no memory that holds [0x{remote.Address:x}, +{remote.Bytes}) of device {remote.DeviceId}."));
        }
        if (!held.Contains(move.Local))
        {
            if (!move.Local.TryUse())
            {
                return (null, Refused(TransferError.RegionUnknown, $"Move {index}: the own memory is being deregistered."));
            }
            held.Add(move.Local);
        }
        var key = await _keys.GetOrAdd(region, one => new Lazy<Task<UcxRemoteKey>>(() => _endpoint.UnpackKeyAsync(one.RemoteKey))).Value;
        return (new UcxPiece(move.Local.Mapped, move.LocalOffset, key, remote.Address, (long)remote.Bytes), default);
    }

    private TransferOutcome Lost(TransferPhase phase, UcsStatus status) => TransferOutcome.Failed(
        phase, TransferSide.Remote, TransferError.ConnectionLost, $"NIXL agent {Name} is lost: {_endpoint.Worker.Context.Api.Describe(status)}.");

    private static TransferOutcome Refused(TransferError error, string message) =>
        TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, error, message);
}
