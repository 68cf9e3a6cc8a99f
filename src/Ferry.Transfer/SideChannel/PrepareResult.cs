namespace Ferry.Transfer.SideChannel;

/// <param name="Reply">Null unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct PrepareResult(TransferOutcome Outcome, PrepareReply? Reply);
