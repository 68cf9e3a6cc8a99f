namespace Ferry.Transfer.Handover;

/// <summary>What a hand-over did.</summary>
/// <param name="Reason">Why this route.</param>
/// <param name="WireBytes">Bytes that were asked of the owner.</param>
/// <param name="Pieces">In so many descriptors.</param>
/// <param name="ConvertTime">Processor time of the conversions, all windows together.</param>
public sealed record HandoverReport(
    HandoverRoute Route, string Reason, long WireBytes, long Pieces, long SmallestPieceBytes, TimeSpan ConvertTime);
