namespace Ferry.Transfer.Ucx;

/// <summary>A function that the worker's thread calls, and its result. Seldom: connecting, keys, closing.</summary>
internal sealed class UcxCall<T>(Func<T> function) : IUcxWork
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Result => _result.Task;

    public void Run()
    {
#pragma warning disable CA1031 // The edge of the worker's loop: what the function throws belongs to its caller.
        try
        {
            _result.SetResult(function());
        }
        catch (Exception exception)
        {
            _result.SetException(exception);
        }
#pragma warning restore CA1031
    }
}
