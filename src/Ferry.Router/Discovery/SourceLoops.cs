using Microsoft.Extensions.Logging;

namespace Ferry.Router.Discovery;

/// <summary>Asks each source of discovery again and again. One that fails is asked less often, and its nodes stay.</summary>
internal sealed class SourceLoops : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loops;

    public SourceLoops(IEnumerable<INodeSource> sources, NodeDirectory nodes, TimeProvider clock, ILogger logger) =>
        _loops = Task.WhenAll(sources.Select(source => RunAsync(source, nodes, clock, logger, _stopping.Token)));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loops;
        _stopping.Dispose();
    }

    private static async Task RunAsync(INodeSource source, NodeDirectory nodes, TimeProvider clock, ILogger logger, CancellationToken stopping)
    {
        var pause = FirstPause;
        var lastError = "";
        while (true)
        {
            try
            {
                var next = await source.LookAsync(found => nodes.Apply(source.Name, found), stopping);
                (pause, lastError) = (FirstPause, "");
                await Task.Delay(next, clock, stopping);
                continue;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The edge of the loop: a source that breaks must not take the router's nodes away. Said once per reason.
                if (lastError != exception.Message) { DiscoveryLog.SourceFailed(logger, source.Name, exception.Message); }
                lastError = exception.Message;
            }
            try
            {
                await Task.Delay(pause, clock, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
        }
    }
}
