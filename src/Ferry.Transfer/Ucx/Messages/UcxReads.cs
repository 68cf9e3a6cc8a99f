using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>Reads of peers' memory by messages, for transports that cannot read by themselves (docs/wire/ucx-reads.md).</summary>
/// <remarks>
/// There UCX would have the owner's process answer, and that process is aborted when its answer finds the reader gone (UCX 1.13 to 1.22:
/// ucp_progress_get_reply returns the send's error, which ucp_request_try_send calls fatal). The error of a message is an outcome like any other.
/// One for each worker; all members are for its thread.
/// </remarks>
/// <param name="own">Tells peers by which endpoint to answer; the probe token of this process's <see cref="UcxAddress"/>.</param>
internal sealed class UcxReads(UcxWorker worker, UInt128 own)
{
    private readonly Dictionary<ulong, UcxRead> _open = [];

    /// <summary>Of the last read.</summary>
    public ulong LastId { get; private set; }

    /// <summary>Asks for a range. <paramref name="target"/> is told when its bytes are here, or that they will not come.</summary>
    public UcsStatus Begin(UcxEndpoint endpoint, UcxMemory local, long offset, ulong remoteAddress, int bytes, IUcxCompletion target)
    {
        var read = new UcxRead(this, ++LastId, endpoint, local.Address + (nint)offset, bytes, target);
        new UcxReadQuestion(read.Id, remoteAddress, bytes, own).Write(read.Header.Span);
        var status = endpoint.BeginMessage(UcxReadQuestion.MessageId, read.Header.Address, UcxReadQuestion.HeaderBytes, 0, 0, read);
        if (status != UcsStatus.InProgress)
        {
            read.Header.Dispose();
        }
        if (status < UcsStatus.Ok || endpoint.Failure != UcsStatus.Ok) // It may have failed meanwhile, when nobody waited here yet.
        {
            return status < UcsStatus.Ok ? status : endpoint.Failure;
        }
        _open.Add(read.Id, read);
        return worker.Count(UcsStatus.InProgress);
    }

    /// <summary>An answer has come.</summary>
    public unsafe void Take(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        if (!UcxReadAnswer.TryRead(header, out var answer) || !_open.TryGetValue(answer.ReadId, out var read))
        {
            return; // Of a read that was given up, or of none.
        }
        if (payload.IsEmpty || answer.Offset > read.Bytes - payload.Length || payload.Length > read.Bytes - read.Received)
        {
            End(read, payload.IsEmpty ? UcsStatus.OutOfRange : UcsStatus.IoError);
            return;
        }
        payload.CopyTo(new Span<byte>((void*)read.Address, read.Bytes)[answer.Offset..]);
        read.Received += payload.Length;
        if (read.Received == read.Bytes)
        {
            End(read, UcsStatus.Ok);
        }
    }

    /// <summary>The endpoint brings nothing more.</summary>
    public void Fail(UcxEndpoint endpoint, UcsStatus status)
    {
        foreach (var read in _open.Values.Where(read => read.Endpoint == endpoint).ToArray())
        {
            End(read, status);
        }
    }

    /// <summary>Tells the reader, once; nothing is written to its memory any more.</summary>
    public void End(UcxRead read, UcsStatus status)
    {
        if (_open.Remove(read.Id))
        {
            worker.Tell(read.Target, status);
        }
    }
}
