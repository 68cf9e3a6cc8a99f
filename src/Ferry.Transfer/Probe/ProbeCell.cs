namespace Ferry.Transfer.Probe;

/// <summary>One measurement.</summary>
/// <param name="Bytes">Of one transfer.</param>
/// <param name="Depth">Transfers in flight.</param>
/// <param name="Pieces">Descriptors of one transfer, which do not touch each other; 1 for one range.</param>
public sealed record ProbeCell(TransferDirection Direction, long Bytes, int Depth, TimeSpan Duration, int Pieces = 1);
