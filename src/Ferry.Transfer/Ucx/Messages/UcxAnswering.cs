namespace Ferry.Transfer.Ucx.Messages;

/// <summary>A question, and how much of it is answered.</summary>
/// <param name="memory">That holds the range; null: none does.</param>
internal sealed class UcxAnswering(UcxReadQuestion question, UcxMemory? memory)
{
    private int _offset;

    public UcxReadQuestion Question { get; } = question;

    public UcxMemory? Memory { get; private set; } = memory;

    public bool IsDone { get; private set; }

    public void Withdraw(UcxMemory memory) => Memory = Memory == memory ? null : Memory;

    /// <summary>The next part to send; of zero bytes, and the last, when there is no such memory.</summary>
    public (int Offset, int Bytes) Next()
    {
        var offset = _offset;
        var bytes = Memory is null ? 0 : Math.Min(UcxReadAnswer.PayloadBytes, Question.Bytes - offset);
        _offset += bytes;
        IsDone = Memory is null || _offset == Question.Bytes;
        return (offset, bytes);
    }
}
