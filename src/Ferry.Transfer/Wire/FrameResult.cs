namespace Ferry.Transfer.Wire;

/// <summary>A frame that came, or why none will.</summary>
/// <param name="Error">None; or ConnectionLost, ProtocolViolation, VersionMismatch: the connection is of no more use.</param>
internal readonly record struct FrameResult(FrameHeader Header, TransferError Error, string Message)
{
    public bool IsSuccess => Error == TransferError.None;

    public static FrameResult Failed(TransferError error, string message) => new(default, error, message);
}
