namespace Ferry.Transfer.Handover;

/// <summary>What a way of handing over would put on the wire.</summary>
/// <param name="Bytes">All of them.</param>
/// <param name="Pieces">Descriptors.</param>
/// <param name="SmallBytes">In pieces shorter than <see cref="HandoverLimits.WirePieceBytes"/>.</param>
internal readonly record struct WireShare(long Bytes, long Pieces, long SmallBytes)
{
    /// <summary>A tenth may be in short pieces: the ends of runs.</summary>
    public bool IsCoarse => SmallBytes * 10 <= Bytes;

    public long MeanPieceBytes => Pieces == 0 ? 0 : Bytes / Pieces;

    public WireShare Add(long bytes, int wirePieceBytes) => new(Bytes + bytes, Pieces + 1, SmallBytes + (bytes < wirePieceBytes ? bytes : 0));

    public WireShare And(in WireShare other) => new(Bytes + other.Bytes, Pieces + other.Pieces, SmallBytes + other.SmallBytes);

    public WireShare Times(int count) => new(Bytes * count, Pieces * count, SmallBytes * count);
}
