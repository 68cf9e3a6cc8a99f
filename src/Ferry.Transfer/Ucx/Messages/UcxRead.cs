using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>One range that a peer was asked for. Its answers come in any order: an endpoint has several lanes.</summary>
/// <param name="address">Where its bytes go, in this process.</param>
internal sealed class UcxRead(UcxReads reads, ulong id, UcxEndpoint endpoint, nint address, int bytes, IUcxCompletion target) : IUcxCompletion
{
    public ulong Id { get; } = id;

    /// <summary>Of the question; kept until that is sent.</summary>
    public UcxHeader Header { get; } = new(UcxReadQuestion.HeaderBytes);

    public UcxEndpoint Endpoint { get; } = endpoint;

    public nint Address { get; } = address;

    public int Bytes { get; } = bytes;

    public IUcxCompletion Target { get; } = target;

    public int Received { get; set; }

    /// <summary>The question is sent, or cannot be.</summary>
    public void Completed(UcsStatus status)
    {
        Header.Dispose();
        if (status != UcsStatus.Ok)
        {
            reads.End(this, status);
        }
    }
}
