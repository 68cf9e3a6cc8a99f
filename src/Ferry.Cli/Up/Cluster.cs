namespace Ferry.Cli.Up;

/// <summary>The running processes. Disposing stops them all, the router first.</summary>
internal sealed class Cluster(HttpClient http, TimeProvider time, string logDirectory) : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(60); // A cold start takes 1-2 s; a loaded machine many times that.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly List<NodeProcess> _nodes = [];

    public IReadOnlyList<NodeProcess> Nodes => _nodes;

    public NodeProcess Start(NodeSpec spec)
    {
        var node = NodeProcess.Start(spec, Path.Combine(logDirectory, $"{spec.Name}.log"));
        _nodes.Add(node);
        return node;
    }

    public async Task StopAsync(NodeProcess node)
    {
        _nodes.Remove(node);
        await node.DisposeAsync();
    }

    /// <summary>Waits until the node's <c>/health</c> answers 200.</summary>
    /// <exception cref="UpException">It exited, or did not answer in time; with what it printed last.</exception>
    public async Task WaitReadyAsync(NodeProcess node, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!await IsHealthyAsync(node, cancellationToken))
        {
            if (node.HasExited)
            {
                throw new UpException($"{node.Spec.Name} ended with exit code {node.ExitCode} while starting. It printed:{Environment.NewLine}{node.Tail}");
            }
            if (time.GetElapsedTime(started) > ReadyDeadline)
            {
                throw new UpException(
                    $"{node.Spec.Name} at {node.Spec.Url} was not ready after {ReadyDeadline.TotalSeconds:F0} s. It printed:{Environment.NewLine}{node.Tail}");
            }
            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    /// <summary>Ends when a node that should run has exited.</summary>
    public async Task<NodeProcess> FirstExitAsync(CancellationToken cancellationToken)
    {
        var exits = _nodes.ToDictionary(node => node.WaitForExitAsync(cancellationToken));
        var first = await Task.WhenAny(exits.Keys);
        await first;
        return exits[first];
    }

    public async ValueTask DisposeAsync()
    {
        // The router first, so that nothing new arrives; then the engines together.
        foreach (var router in _nodes.Where(node => node.Spec.Name == "router").ToArray())
        {
            await StopAsync(router);
        }
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        _nodes.Clear();
    }

    private async Task<bool> IsHealthyAsync(NodeProcess node, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(node.Spec.Url, "/health"), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // Not listening yet.
        }
    }
}
