namespace Ferry.Transfer.SideChannel;

/// <param name="Left">What is left of each hold, in the order asked; zero for one that has ended. Empty unless a success.</param>
public readonly record struct ExtendResult(TransferOutcome Outcome, IReadOnlyList<TimeSpan> Left);
