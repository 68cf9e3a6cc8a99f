using System.Diagnostics.CodeAnalysis;

namespace Ferry.Transfer.Tcp;

/// <summary>Segments of all transfers of one peer that no stream has taken yet, oldest transfer first. Streams take as they have room.</summary>
internal sealed class TransferQueue
{
    private readonly Lock _gate = new();
    private readonly Queue<PostedTransfer> _transfers = new();
    private int _nextSegment; // of the transfer at the head
    private bool _closed;

    /// <summary>Whether no segment waits to be taken.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _transfers.Count == 0;
            }
        }
    }

    /// <summary>False once closed.</summary>
    public bool TryAdd(PostedTransfer transfer)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _transfers.Enqueue(transfer);
            }
            return !_closed;
        }
    }

    /// <summary>Takes a segment, which the caller ends. False if none is left.</summary>
    public bool TryTake([NotNullWhen(true)] out PostedTransfer? transfer, out int segmentIndex)
    {
        lock (_gate)
        {
            segmentIndex = _nextSegment;
            if (!_transfers.TryPeek(out transfer))
            {
                return false;
            }
            _nextSegment++;
            if (_nextSegment == transfer.Plan.Segments.Count)
            {
                _transfers.Dequeue();
                _nextSegment = 0;
            }
            return true;
        }
    }

    /// <summary>Takes nothing more in and ends every segment that is left, as <paramref name="reason"/> says.</summary>
    public void Close(in TransferOutcome reason)
    {
        lock (_gate)
        {
            _closed = true;
        }
        while (TryTake(out var transfer, out _))
        {
            transfer.Fail(reason);
            transfer.EndSegment();
        }
    }
}
