namespace Ferry.Router.Configuration;

/// <summary>Reads router.yaml again when it changes.</summary>
internal sealed class ConfigurationWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;

    public ConfigurationWatch(string path, RouterRuntime router) => _loop = RunAsync(path, router, _stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private static async Task RunAsync(string path, RouterRuntime router, CancellationToken stopping)
    {
        // By looking, not by notices of the file system: a Kubernetes ConfigMap is a link that changes its target.
        var seen = Look(path);
        try
        {
            while (true)
            {
                await Task.Delay(router.Options.DiscoveryInterval, router.Time.Clock, stopping);
                var now = Look(path);
                if (now == seen) { continue; }
                seen = now;
                await router.ReloadAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the router stops
        }
    }

    private static (DateTime, long) Look(string path)
    {
        var file = new FileInfo(path);
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return target.Exists ? (target.LastWriteTimeUtc, target.Length) : default;
    }
}
