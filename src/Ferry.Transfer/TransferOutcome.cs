namespace Ferry.Transfer;

/// <summary>How a transfer ended. Failures are ordinary values: peers die, leases run out.</summary>
/// <param name="Phase">How far it had come; the last phase on success.</param>
/// <param name="Side">The side to blame; meaningless on success.</param>
/// <param name="Message">For a person; empty on success.</param>
/// <param name="Bytes">Bytes that are usable: all on success, else 0.</param>
public readonly record struct TransferOutcome(TransferPhase Phase, TransferSide Side, TransferError Error, string Message, long Bytes)
{
    public bool IsSuccess => Error == TransferError.None;

    public static TransferOutcome Success(TransferPhase phase, long bytes = 0) =>
        new(phase, TransferSide.Local, TransferError.None, string.Empty, bytes);

    public static TransferOutcome Failed(TransferPhase phase, TransferSide side, TransferError error, string message) =>
        new(phase, side, error, message, 0);

    public override string ToString() => IsSuccess ? $"success, {Bytes} bytes" : $"{Error} ({Phase}, {Side}): {Message}";
}
