namespace Ferry.Transfer.Handover;

/// <param name="Outcome">On success its bytes are those of KV that came, in the reader's layout; after anything else the target blocks hold nothing usable.</param>
/// <param name="Report">Null when nothing was begun.</param>
public readonly record struct HandoverResult(TransferOutcome Outcome, HandoverReport? Report);
