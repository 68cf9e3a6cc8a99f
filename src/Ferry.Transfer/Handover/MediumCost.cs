namespace Ferry.Transfer.Handover;

/// <summary>What the ways of handing over cost on a medium, relative to one another.</summary>
/// <param name="PieceBytes">What one more piece costs, in bytes at the rate of long ones.</param>
/// <param name="NeedsLongPieces">Whether a way with long pieces is taken before any other.</param>
/// <param name="Direct">Cost of a byte that goes from block to block.</param>
/// <param name="InPlace">Of one that is converted where the owner has it, which only some media can; it is a copy of short rows.</param>
/// <param name="Reader">Of one that the reader converts: a pass more over what is in the cache.</param>
/// <param name="Writer">Of one that the owner packs: that pass at the owner, which has a model to run, and a question a window.</param>
internal readonly record struct MediumCost(int PieceBytes, bool NeedsLongPieces, double Direct, double InPlace, double Reader, double Writer)
{
    // Figures: docs/measurements/transfer-hetero.md.

    /// <summary>Every piece is an operation of its own, here and at the owner.</summary>
    private static readonly MediumCost Network = new(32 << 10, NeedsLongPieces: true, 1.0, 1.1, 1.15, 1.4);

    /// <summary>The medium gathers pieces into segments by itself, so the wire has long ones whatever is asked for; one more costs a quarter of a microsecond.</summary>
    private static readonly MediumCost Tcp = new(1 << 10, NeedsLongPieces: false, 1.0, 1.1, 1.15, 1.6);

    /// <summary>One host's memory: a piece is a copy by the reader itself, and a pass more costs more than the first, which does not leave the cache.</summary>
    private static readonly MediumCost SharedMemory = new(512, NeedsLongPieces: false, 1.0, 1.1, 2.5, 7.0);

    /// <param name="medium">As <see cref="MediumChoice.Name"/>.</param>
    public static MediumCost Of(string medium) => medium switch
    {
        "shm" => SharedMemory,
        "tcp" => Tcp,
        _ => Network,
    };

    public double Of(IHandoverRoute way) => (way.Share.Bytes + way.Share.Pieces * (double)PieceBytes) * way.Kind switch
    {
        HandoverRoute.Direct => Direct,
        HandoverRoute.InPlace => InPlace,
        HandoverRoute.ReaderConverts => Reader,
        _ => Writer,
    };

    /// <summary>Ways of the lower rank are taken first.</summary>
    public int Rank(IHandoverRoute way) => NeedsLongPieces && !way.Share.IsCoarse ? 1 : 0;
}
