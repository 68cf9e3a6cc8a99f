namespace Ferry.Transfer.Tcp;

/// <summary>Segments of all reads of one peer that no stream has taken yet, oldest read first. Streams take as they have room.</summary>
internal sealed class ReadQueue : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<TcpRead> _reads = new();
    private readonly SemaphoreSlim _available = new(0);
    private int _nextSegment; // of the read at the head
    private bool _closed;

    /// <summary>False once closed.</summary>
    public bool TryAdd(TcpRead read)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }
            _reads.Enqueue(read);
        }
        _available.Release(read.Plan.Segments.Count);
        return true;
    }

    /// <summary>Waits for a segment. The caller ends it.</summary>
    public async ValueTask<(TcpRead Read, int SegmentIndex)> TakeAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        return Take()!.Value;
    }

    /// <summary>Takes nothing more in and ends every segment that is left, as <paramref name="reason"/> says.</summary>
    public void Close(in TransferOutcome reason)
    {
        lock (_gate)
        {
            _closed = true;
        }
        while (Take() is var (read, _))
        {
            read.Fail(reason);
            read.EndSegment();
        }
    }

    public void Dispose() => _available.Dispose();

    private (TcpRead Read, int SegmentIndex)? Take()
    {
        lock (_gate)
        {
            if (!_reads.TryPeek(out var read))
            {
                return null;
            }
            var index = _nextSegment++;
            if (_nextSegment == read.Plan.Segments.Count)
            {
                _reads.Dequeue();
                _nextSegment = 0;
            }
            return (read, index);
        }
    }
}
