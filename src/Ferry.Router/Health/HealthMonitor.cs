using System.Buffers;
using Ferry.Router.Discovery;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Health;

/// <summary>Asks every node every so often: /health, its side channel where it has one, and /metrics for its load.</summary>
/// <param name="get">Sends a GET to a node.</param>
internal sealed class HealthMonitor(
    NodeDirectory nodes, Func<Node, string, CancellationToken, Task<HttpResponseMessage>> get, ISideChannelProbe sideChannel, RouterTime time, ILogger logger) : IAsyncDisposable
{
    private const int AtATime = 64;
    private const int MaxMetricsBytes = 4 << 20;

    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Told of each node that went down.</summary>
    public Action<Node>? WentDown { get; set; }

    public void Start() => _loop = RunAsync(_stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    /// <summary>Asks all nodes once.</summary>
    public async Task ProbeAllAsync(CancellationToken cancellationToken)
    {
        using var places = new SemaphoreSlim(AtATime);
        await Task.WhenAll(nodes.Current.Nodes.Select(async node =>
        {
            await places.WaitAsync(cancellationToken);
            try { await ProbeAsync(node, cancellationToken); }
            finally { places.Release(); }
        }));
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await ProbeAllAsync(stopping);
                await Task.Delay(nodes.Current.Options.HealthInterval, time.Clock, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the router stops
        }
    }

    private async Task ProbeAsync(Node node, CancellationToken stopping)
    {
        var options = nodes.Current.Options;
        using var timer = new CancellationTokenSource(options.HealthTimeout, time.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stopping);
        string? error;
        var asked = "/health";
        try
        {
            error = await AskHealthAsync(node, both.Token);
            if (error is null && SideChannelOf(node, options) is { } endpoint)
            {
                asked = $"side channel {endpoint}";
                error = await sideChannel.ProbeAsync(endpoint, both.Token) is { } wrong ? $"{asked}: {wrong}" : null;
            }
            asked = "/metrics";
            if (error is null && options.ReadsNodeMetrics) { await ReadMetricsAsync(node, both.Token); }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            error = $"{asked}: no answer in {options.HealthTimeout.TotalSeconds:0.###} s";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            error = exception.Message;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The edge of the loop: whatever breaks a probe breaks that probe alone.
            HealthLog.ProbeBroke(logger, node.Name, exception);
            error = exception.Message;
        }
        if (!node.Health.Probed(error, time.Milliseconds, options)) { return; }
        if (error is null) { HealthLog.NodeUp(logger, node.Role, node.Name); }
        else
        {
            HealthLog.NodeDown(logger, node.Role, node.Name, error);
            WentDown?.Invoke(node);
        }
    }

    private async Task<string?> AskHealthAsync(Node node, CancellationToken cancellationToken)
    {
        using var response = await get(node, "/health", cancellationToken);
        return response.IsSuccessStatusCode ? null : $"/health answered {(int)response.StatusCode}";
    }

    /// <summary>Decode nodes dial side channels and are not dialled.</summary>
    private static string? SideChannelOf(Node node, RouterOptions options) =>
        node.Role != NodeRole.Prefill ? null : node.Spec.SideChannel ?? (options.SideChannelPort > 0 ? $"tcp://{node.Address.Host}:{options.SideChannelPort}" : null);

    /// <summary>A node without these metrics, or without /metrics, is no less healthy.</summary>
    private async Task ReadMetricsAsync(Node node, CancellationToken cancellationToken)
    {
        using var response = await get(node, "/metrics", cancellationToken);
        if (!response.IsSuccessStatusCode) { return; }
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            var load = new NodeLoadReader();
            var (kept, total) = (0, 0);
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(kept), cancellationToken)) > 0 && (total += read) <= MaxMetricsBytes)
            {
                kept = load.Take(buffer, kept + read);
            }
            node.Health.ReportedRequests = load.Requests;
            node.Health.KvUsage = load.KvUsage;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
