namespace Ferry.Router.Health;

/// <summary>Waits until a node that gets nothing new is empty.</summary>
internal sealed class DrainWatch(RouterTime time)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <returns>Whether the node is empty; false: the time was over first.</returns>
    public async Task<bool> WaitAsync(Node node, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var until = time.Milliseconds + (long)timeout.TotalMilliseconds;
        while (!node.IsEmpty(time.Milliseconds))
        {
            if (time.Milliseconds >= until) { return false; }
            await Task.Delay(Step, time.Clock, cancellationToken);
        }
        return true;
    }
}
