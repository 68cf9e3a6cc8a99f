using System.Collections.Concurrent;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>One peer's memory by UCX.</summary>
/// <remarks>A write is fetched by its owner, as with every medium: so a writer that stood still cannot write late.</remarks>
internal sealed class UcxRemoteMemory(UcxMedium medium, UcxEndpoint endpoint) : RemoteMemory
{
    private readonly ConcurrentDictionary<uint, RemoteRegion> _regions = new();
    private readonly ConcurrentBag<List<UcxPiece>> _spareLists = []; // one for each stream of the peer
    private int _disposed;

    public override bool ReachesAccelerators => true;

    public override bool Knows(uint regionId) => _regions.ContainsKey(regionId);

    public override string? TryAddRegion(RegionInfo region)
    {
        if (region.Key.IsEmpty)
        {
            return "its key is empty";
        }
        // The key is unpacked by the worker's thread, at the first read.
        _regions.TryAdd(region.RegionId, new RemoteRegion(region, new Lazy<Task<UcxRemoteKey>>(() => endpoint.UnpackKeyAsync(region.Key))));
        return null;
    }

    public override async ValueTask<string?> ReadAsync(IReadOnlyList<TransferPiece> pieces, CancellationToken cancellationToken)
    {
        var moves = _spareLists.TryTake(out var spare) ? spare : [];
        try
        {
            foreach (var piece in pieces)
            {
                if (await TryAddAsync(moves, piece) is { } error)
                {
                    return error;
                }
            }
            var status = await endpoint.MoveOrCloseAsync(TransferDirection.Read, moves, cancellationToken);
            return status == UcsStatus.Ok ? null : $"UCX: {endpoint.Worker.Context.Api.Describe(status)}";
        }
        catch (UcxException exception)
        {
            return exception.Message;
        }
        finally
        {
            moves.Clear();
            _spareLists.Add(moves);
        }
    }

    // UCX answers a peer's reads by this endpoint: closed, a late one finds nobody.
    public override void Abort() => endpoint.Worker.Post(new UcxClose(endpoint));

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await endpoint.DisposeAsync();
            medium.CountLinkClosed();
        }
    }

    private async ValueTask<string?> TryAddAsync(List<UcxPiece> moves, TransferPiece piece)
    {
        var (info, unpacking) = _regions[piece.RegionId];
        if (piece.Offset < 0 || piece.Bytes > info.Bytes || piece.Offset > info.Bytes - piece.Bytes)
        {
            return $"[{piece.Offset}, +{piece.Bytes}) lies outside region {piece.RegionId} of {info.Bytes} bytes";
        }
        if (medium.TryFind(piece.Local) is not { } local)
        {
            return $"own region {piece.Local.Id} could not be mapped for UCX; the log says why";
        }
        var key = await unpacking.Value;
        var far = info.Address + (ulong)piece.Offset;
        // Ranges that touch at both ends are one operation.
        if (moves is [.., var last] && last.Local == local && last.Key == key
            && last.Offset + last.Bytes == piece.LocalOffset && last.RemoteAddress + (ulong)last.Bytes == far)
        {
            moves[^1] = last with { Bytes = last.Bytes + piece.Bytes };
        }
        else
        {
            moves.Add(new UcxPiece(local, piece.LocalOffset, key, far, piece.Bytes));
        }
        return null;
    }

    private sealed record RemoteRegion(RegionInfo Info, Lazy<Task<UcxRemoteKey>> Unpacking);
}
