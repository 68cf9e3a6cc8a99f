using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>A single operation that is not a move of bytes: a flush, a message.</summary>
/// <param name="begin">Called on the worker's thread.</param>
internal sealed class UcxOneOperation(UcxEndpoint endpoint, Func<IUcxCompletion, UcsStatus> begin) : IUcxWork, IUcxCompletion
{
    private readonly TaskCompletionSource<UcsStatus> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Never faults.</summary>
    public Task<UcsStatus> RunAsync()
    {
        endpoint.Worker.Post(this);
        return _done.Task;
    }

    public void Run()
    {
        if (begin(this) is not UcsStatus.InProgress and var status)
        {
            _done.SetResult(status);
        }
    }

    public void Completed(UcsStatus status) => _done.SetResult(status);
}
