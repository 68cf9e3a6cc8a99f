namespace Ferry.Transfer.SideChannel;

/// <param name="Answer">Empty unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct AskResult(TransferOutcome Outcome, ReadOnlyMemory<byte> Answer);
