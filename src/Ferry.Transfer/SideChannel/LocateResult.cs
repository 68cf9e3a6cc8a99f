namespace Ferry.Transfer.SideChannel;

/// <param name="Reply">Null unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct LocateResult(TransferOutcome Outcome, LocateReply? Reply);
