using System.Collections.Concurrent;
using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Connectors;

/// <summary>What each node's <c>GET /version</c> says, and where Ferry's own take pushes, asked in the background: a node that restarts may come back as another version.</summary>
internal sealed class NodeVersions(Func<IEnumerable<Node>> nodes, LegSender sender, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const int MaxReplyBytes = 16 * 1024;

    private readonly ConcurrentDictionary<Uri, NodeVersion> _known = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = RunAsync(_stopping.Token);

    /// <summary>Null: it has not said yet.</summary>
    public NodeVersion? Of(Node node) => _known.GetValueOrDefault(node.Address);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, clock);
            do
            {
                foreach (var node in nodes())
                {
                    await AskAsync(node, stopping);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // The router stops.
        }
    }

    private async Task AskAsync(Node node, CancellationToken stopping)
    {
        if (await ReadAsync(node, "/version", stopping) is not { } body || NodeVersion.TryParse(body.Text("version"u8)) is not { } version)
        {
            return;   // It says so when it can be asked again.
        }
        if (body.Text("engine"u8) == "ferry")
        {
            var handover = await ReadAsync(node, "/ferry/handover", stopping);
            version = version with { IsFerry = true, PushTo = handover is null ? null : DecodeTarget.TryRead(handover, node.Address) };
        }
        if (_known.GetValueOrDefault(node.Address) != version)
        {
            _known[node.Address] = version;
            RouterLog.NodeVersion(logger, node.Name, version.IsFerry ? "ferry" : "vllm", version.Text);
        }
    }

    /// <summary>Null: no answer, or none that is a JSON object.</summary>
    private async Task<JsonBody?> ReadAsync(Node node, string path, CancellationToken stopping)
    {
        using var idle = new IdleTimer(Patience, Patience, clock, stopping);
        using var bytes = new PooledBytes(1024);
        try
        {
            using var response = await sender.ProbeAsync(node, path, idle.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(idle.Token);
            return response.IsSuccessStatusCode && await BoundedBody.ReadAsync(stream, bytes, MaxReplyBytes, idle) ? JsonBody.TryParse(bytes.Memory.ToArray()) : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && idle.TimedOut))
        {
            return null;
        }
    }
}
