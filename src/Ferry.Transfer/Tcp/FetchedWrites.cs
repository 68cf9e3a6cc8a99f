using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.Tcp;

/// <summary>The sources of one write at a time that the owner fetches by another medium. One belongs to each data connection.</summary>
internal sealed class FetchedWrites(SessionMemory memory)
{
    private readonly List<RegionInfo> _regions = [];
    private readonly List<TransferPiece> _pieces = [];

    /// <summary>Reads what follows the descriptors of a Write frame; false if that is not well-formed.</summary>
    public bool TryTake(ReadOnlySpan<byte> sources, IReadOnlyList<MemoryPiece> targets)
    {
        _regions.Clear();
        _pieces.Clear();
        return TransferCodec.TryReadSources(sources, targets, _regions, _pieces);
    }

    /// <summary>The peer has vanished while memory is held for it: it gets at none of it any more.</summary>
    public Task CloseAsync() => memory.CloseAsync();

    /// <summary>Fetches all; the targets are held by the caller. Returns the error, or null.</summary>
    public async ValueTask<string?> FetchAsync(CancellationToken cancellationToken)
    {
        var (opened, reason) = await memory.OpenAsync(cancellationToken);
        if (opened is null)
        {
            return reason;
        }
        foreach (var region in _regions)
        {
            if (opened.TryAddRegion(region) is { } error)
            {
                return error;
            }
        }
        return await opened.ReadAsync(_pieces, cancellationToken);
    }
}
