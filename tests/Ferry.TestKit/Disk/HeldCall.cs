namespace Ferry.TestKit.Disk;

/// <summary>Holds up one call of a faulty disk until the test lets it go on.</summary>
public sealed class HeldCall : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    /// <param name="name">The file's; null: any.</param>
    /// <param name="at">Which of such calls, counted from 1.</param>
    public HeldCall(FaultyDisk disk, string call, string? name = null, int at = 1)
    {
        var others = disk.Fault;
        disk.Fault = (asked, file) =>
        {
            if (asked == call && (name ?? file) == file && Interlocked.Increment(ref _count) == at)
            {
                _held.SetResult();
                _goOn.Task.Wait(Patience);
            }
            return others?.Invoke(asked, file);
        };
    }

    /// <summary>Ends when the call has come and waits.</summary>
    public Task ComesAsync() => _held.Task.WaitAsync(Patience);

    public void GoOn() => _goOn.TrySetResult();

    public void Dispose() => GoOn();
}
