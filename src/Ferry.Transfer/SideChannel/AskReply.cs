namespace Ferry.Transfer.SideChannel;

/// <summary>An owner's answer to an opaque question, or a refusal.</summary>
/// <param name="Message">For a person; empty without an error.</param>
/// <param name="Answer">Empty with an error.</param>
public readonly record struct AskReply(TransferError Error, string Message, ReadOnlyMemory<byte> Answer)
{
    public static AskReply Answered(ReadOnlyMemory<byte> answer) => new(TransferError.None, string.Empty, answer);

    public static AskReply Refused(TransferError error, string message) => new(error, message, default);
}
