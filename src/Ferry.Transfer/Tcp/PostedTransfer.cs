using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.Tcp;

/// <summary>A transfer under way: how many of its segments are still out, and what went wrong first.</summary>
/// <remarks>Ends only when every segment has been accounted for, so that no stream writes to its memory afterwards.</remarks>
internal sealed class PostedTransfer(TransferPlan plan)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private int _segmentsOut = plan.Segments.Count;
    private TransferOutcome? _failure;

    public TransferPlan Plan { get; } = plan;

    /// <summary>Ends with the last segment.</summary>
    public Task Done => _done.Task;

    /// <summary>Once true, segments that were not asked for need not be.</summary>
    public bool HasFailed
    {
        get
        {
            lock (_gate)
            {
                return _failure is not null;
            }
        }
    }

    /// <summary>Valid once <see cref="Done"/> has ended.</summary>
    public TransferOutcome Outcome
    {
        get
        {
            lock (_gate)
            {
                return _failure ?? TransferOutcome.Success(TransferPhase.Verify, Plan.Bytes);
            }
        }
    }

    /// <summary>Keeps the first failure; the others follow from it.</summary>
    public void Fail(in TransferOutcome failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
        }
    }

    /// <summary>A segment is finished with: it came, was refused, was lost or was never asked for. Called once for each.</summary>
    public void EndSegment()
    {
        if (Interlocked.Decrement(ref _segmentsOut) == 0)
        {
            _done.SetResult();
        }
    }
}
