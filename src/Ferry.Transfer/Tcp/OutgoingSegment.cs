using System.IO.Hashing;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>One segment on its way to the owner: the question, and for a write its bytes and their trailer. Reused; one thread at a time.</summary>
/// <param name="checksum">Whether the bytes of a write carry one, which is known when the last has left.</param>
internal sealed class OutgoingSegment(FrameConnection connection, bool checksum) : IDisposable
{
    // What goes to the kernel in one call: a progress that the stall check can see.
    private const int SliceBytes = 512 << 10;

    private readonly MemoryVector _bytes = new();
    private readonly XxHash3 _hash = new();
    private readonly byte[] _trailer = new byte[TransferCodec.TrailerBytes];
    private byte[] _request = new byte[1024];
    private int _requestBytes;
    private int _requestBytesSent;
    private int _trailerBytesSent;
    private bool _hasBegun;

    private TransferTicket Ticket { get; set; }

    public bool IsWrite => Ticket.Transfer.Plan.Direction == TransferDirection.Write;

    /// <summary>Takes a ticket in; the last has left, or the connection is lost.</summary>
    public void Write(in TransferTicket ticket)
    {
        Ticket = ticket;
        (_requestBytesSent, _trailerBytesSent, _hasBegun) = (0, 0, false);
        var (plan, segment) = (ticket.Transfer.Plan, ticket.Segment);
        var payloadBytes = TransferCodec.RequestBytes(segment);
        _requestBytes = FrameHeader.HeaderBytes + payloadBytes;
        if (_request.Length < _requestBytes)
        {
            _request = new byte[_requestBytes];
        }
        var payload = _request.AsSpan(FrameHeader.HeaderBytes, payloadBytes);
        TransferCodec.WriteRequest(payload, plan, segment, checksum ? TransferFlags.Checksum : TransferFlags.None);
        FrameHeader.Write(_request, IsWrite ? FrameType.Write : FrameType.Read, TransferError.None, ticket.Correlation, payload);
    }

    /// <summary>Sends what the socket takes at once, in one call if it takes all. True if it did; else <see cref="SendRestAsync"/> goes on from there.</summary>
    public bool TrySend()
    {
        if (!IsWrite)
        {
            _requestBytesSent = connection.TrySend(_request.AsSpan(0, _requestBytes), moreFollows: false);
            return _requestBytesSent == _requestBytes;
        }
        if (checksum)
        {
            return false; // Its trailer is not known before its bytes have left.
        }
        Begin();
        var bytes = Ticket.Segment.Bytes;
        var sent = connection.TrySend(_request.AsSpan(0, _requestBytes), _bytes, bytes, _trailer, null, moreFollows: false);
        _requestBytesSent = (int)Math.Min(sent, _requestBytes);
        _trailerBytesSent = (int)Math.Max(0, sent - _requestBytes - bytes);
        if (_trailerBytesSent < _trailer.Length)
        {
            return false;
        }
        _bytes.Clear();
        return true;
    }

    /// <summary>Sends all that has not left yet; nothing of the transfer's memory is used afterwards. Returns the error, or null.</summary>
    // No token: a segment is sent whole or the connection is lost; an abort ends the wait.
    public async Task<string?> SendRestAsync()
    {
        var request = _request.AsMemory(_requestBytesSent, _requestBytes - _requestBytesSent);
        if (!IsWrite)
        {
            return await connection.SendAsync(request, CancellationToken.None);
        }
        try
        {
            Begin();
            string? error;
            do
            {
                error = await connection.SendAsync(request, _bytes, SliceBytes, checksum ? _hash : null, moreFollows: true, CancellationToken.None);
                request = default;
            }
            while (error is null && _bytes.BytesLeft > 0);
            if (error is null && checksum)
            {
                WriteTrailer(_hash.GetCurrentHashAsUInt64());
            }
            return error ?? await connection.SendAsync(_trailer.AsMemory(_trailerBytesSent), CancellationToken.None);
        }
        finally
        {
            _bytes.Clear();
        }
    }

    public void Dispose() => _bytes.Dispose();

    private void Begin()
    {
        if (_hasBegun)
        {
            return;
        }
        _hasBegun = true;
        _bytes.Clear();
        _hash.Reset();
        for (var pieces = Ticket.Transfer.Plan.PiecesOf(Ticket.Segment); pieces.MoveNext();)
        {
            _bytes.Add(pieces.Current.Local, pieces.Current.LocalOffset, pieces.Current.Bytes);
        }
        WriteTrailer(0);
    }

    private void WriteTrailer(ulong hash) => TransferCodec.WriteTrailer(_trailer, TransferError.None, Ticket.Correlation, Ticket.Segment.Bytes, hash);
}
