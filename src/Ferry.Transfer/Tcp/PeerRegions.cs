using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Tcp;

/// <summary>How regions are reached by the medium of one peer: the peer's, asked for when first needed, and own ones, told with a write.</summary>
/// <param name="ask">Asks the peer how a region of its is reached.</param>
internal sealed class PeerRegions(string medium, MediaTable own, Func<string, uint, CancellationToken, Task<RegionResult>> ask)
{
    /// <summary>Makes the far ends of all pieces reachable. Null, or why that failed.</summary>
    public async ValueTask<TransferOutcome?> ReachAsync(List<TransferPiece> pieces, RemoteMemory memory, CancellationToken cancellationToken)
    {
        for (var i = 0; i < pieces.Count; i++)
        {
            if (!memory.Knows(pieces[i].RegionId) && await ReachAsync(pieces[i].RegionId, memory, cancellationToken) is { } error)
            {
                return error;
            }
        }
        return null;
    }

    /// <summary>The same for one region that is not known yet.</summary>
    public async Task<TransferOutcome?> ReachAsync(uint regionId, RemoteMemory memory, CancellationToken cancellationToken)
    {
        var (outcome, region) = await ask(medium, regionId, cancellationToken);
        if (!outcome.IsSuccess)
        {
            return outcome;
        }
        var error = region!.RegionId == regionId ? memory.TryAddRegion(region) : $"The peer described region {region.RegionId} instead.";
        return error is null
            ? null
            : TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.MediumFailed, $"Region {regionId} by {medium}: {error}");
    }

    /// <summary>Describes the near ends of all pieces. False if there are too many regions, or one that the medium does not take.</summary>
    public bool TryDescribeLocal(List<TransferPiece> pieces, out List<RegionInfo> regions)
    {
        regions = [];
        MemoryRegion? last = null;
        foreach (var piece in pieces)
        {
            if (piece.Local == last)
            {
                continue;
            }
            last = piece.Local;
            if (regions.Exists(region => region.RegionId == piece.Local.Id))
            {
                continue;
            }
            if (regions.Count == RegionInfo.CountPerFrameMax || own.TryDescribe(medium, piece.Local) is not { } described)
            {
                return false;
            }
            regions.Add(described);
        }
        return true;
    }
}
