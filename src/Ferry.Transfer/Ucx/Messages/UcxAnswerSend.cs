using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>One message of an answer under way; used again.</summary>
internal sealed unsafe class UcxAnswerSend(UcxAnswerQueue queue) : IUcxCompletion, IDisposable
{
    private readonly UcxHeader _native = new(UcxReadAnswer.HeaderBytes + sizeof(UcxCopied.Source));

    /// <summary>Out of which its payload goes.</summary>
    public UcxMemory? Memory { get; set; }

    public UcsStatus Begin(UcxEndpoint endpoint, UcxReadAnswer answer, nint payload, int bytes)
    {
        answer.Write(_native.Span);
        if (Memory is not { IsHost: true })
        {
            return endpoint.BeginMessage(UcxReadAnswer.MessageId, _native.Address, UcxReadAnswer.HeaderBytes, payload, bytes, this);
        }
        var source = (UcxCopied.Source*)(_native.Address + UcxReadAnswer.HeaderBytes);
        *source = new UcxCopied.Source { Address = (byte*)payload, Bytes = (nuint)bytes };
        return endpoint.BeginMessage(UcxReadAnswer.MessageId, _native.Address, UcxReadAnswer.HeaderBytes, (nint)source, 1, this, UcxCopied.TypeOf(endpoint.Worker.Context.Library));
    }

    public void Completed(UcsStatus status) => queue.Sent(this);

    public void Dispose() => _native.Dispose();
}
