using System.Diagnostics;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>Moves a list of pieces over one endpoint, some operations ahead, all on the worker's thread.</summary>
/// <remarks>Ends only when UCX has nothing of it under way any more, so that nothing touches its memory afterwards.</remarks>
internal sealed class UcxTransfer : IUcxWork, IUcxCompletion
{
    private readonly UcxEndpoint _endpoint;
    private readonly TransferDirection _direction;
    private readonly IReadOnlyList<UcxPiece> _pieces;
    private readonly int _operationsMax;
    private readonly long _operationBytes;
    private readonly TaskCompletionSource<UcsStatus> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _index;
    private long _skipped; // bytes of the piece at _index that are under way or done
    private int _inFlight;
    private bool _flushed;
    private bool _ended;
    private UcsStatus _failure;
    private volatile bool _cancelled;

    public UcxTransfer(UcxEndpoint endpoint, TransferDirection direction, IReadOnlyList<UcxPiece> pieces, int operationsMax, long operationBytes)
    {
        _endpoint = endpoint;
        _direction = direction;
        _pieces = pieces;
        _operationsMax = operationsMax;
        _operationBytes = operationBytes;
        _flushed = direction == TransferDirection.Read; // a get that has ended has brought its bytes
    }

    /// <summary>Ends with the first error, or Ok: a read's bytes are here, a write's are visible to the peer.</summary>
    public Task<UcsStatus> Done => _done.Task;

    /// <summary>Begins nothing more; what is under way still ends by itself.</summary>
    public void Cancel() => _cancelled = true;

    public void Run() => Pump();

    public void Completed(UcsStatus status)
    {
        _inFlight--;
        Take(status);
        _endpoint.Worker.Defer(this);
    }

    private void Pump()
    {
        while (_failure == UcsStatus.Ok && _index < _pieces.Count && _inFlight < _operationsMax)
        {
            if (_cancelled)
            {
                _failure = UcsStatus.Canceled;
                break;
            }
            Take(BeginNext());
        }
        if (_inFlight == 0 && !_flushed && _failure == UcsStatus.Ok)
        {
            _flushed = true;
            Take(_endpoint.BeginFlush(this));
        }
        if (_inFlight == 0 && !_ended)
        {
            _ended = true;
            _done.SetResult(_failure);
        }
    }

    private void Take(UcsStatus status)
    {
        if (status == UcsStatus.InProgress)
        {
            _inFlight++;
        }
        else if (status != UcsStatus.Ok && _failure == UcsStatus.Ok)
        {
            _failure = status;
        }
    }

    private UcsStatus BeginNext()
    {
        var piece = _pieces[_index];
        var bytes = Math.Min(piece.Bytes - _skipped, _operationBytes);
        var offset = piece.Offset + _skipped;
        Debug.Assert(offset >= 0 && bytes > 0 && offset + bytes <= piece.Local.Bytes, "A piece lies outside its memory.");
        var remote = piece.RemoteAddress + (ulong)_skipped;
        _skipped += bytes;
        if (_skipped == piece.Bytes)
        {
            _index++;
            _skipped = 0;
        }
        return _endpoint.BeginMove(_direction, piece.Local, offset, remote, piece.Key, bytes, this);
    }
}
