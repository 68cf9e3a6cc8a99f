using Spectre.Console;

namespace Ferry.Cli.Up;

/// <summary>The table that is drawn again every second: nodes, queues, KV held and moved, hits, tokens a second.</summary>
internal sealed class LiveView(IAnsiConsole console, HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(100); // The nodes are up within a second.

    private readonly Dictionary<string, (double Tokens, long At)> _before = [];

    /// <summary>Draws until cancelled; where the output is no terminal it draws nothing and waits.</summary>
    public Task RunAsync(IReadOnlyList<NodeProcess> nodes, CancellationToken cancellationToken) =>
        DrawAsync(nodes, "[red]no answer[/]", Interval, clears: false, cancellationToken);

    /// <summary>Draws while nodes start, and takes the table away again; ends without an exception when cancelled.</summary>
    public async Task ShowStartAsync(IReadOnlyList<NodeProcess> nodes, CancellationToken cancellationToken)
    {
        try
        {
            await DrawAsync(nodes, "[grey]starting[/]", StartInterval, clears: true, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // They are up, or one of them is not: the caller knows which.
        }
    }

    private async Task DrawAsync(IReadOnlyList<NodeProcess> nodes, string absent, TimeSpan interval, bool clears, CancellationToken cancellationToken)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
            return;
        }
        await console.Live(await TableAsync(nodes, absent, cancellationToken)).AutoClear(clears).StartAsync(async live =>
        {
            while (true)
            {
                await Task.Delay(interval, time, cancellationToken);
                live.UpdateTarget(await TableAsync(nodes, absent, cancellationToken));
            }
        });
    }

    private async Task<Table> TableAsync(IReadOnlyList<NodeProcess> nodes, string absent, CancellationToken cancellationToken)
    {
        var table = new Table().RoundedBorder().BorderColor(Color.Grey)
            .AddColumns("node", "shape", "running", "waiting", "KV used", "prefix hits", "KV from outside", "tokens/s");
        foreach (var node in nodes.Where(node => node.Spec.Shape.Length > 0))
        {
            var metrics = await NodeMetrics.TryReadAsync(http, node.Spec.Url, cancellationToken);
            table.AddRow(metrics is null ? [node.Spec.Name, node.Spec.Shape, absent, "", "", "", "", ""] : Row(node.Spec, metrics));
        }
        return table;
    }

    private string[] Row(NodeSpec node, NodeMetrics metrics)
    {
        var queries = metrics["vllm:prefix_cache_queries_total"];
        return
        [
            $"[bold]{node.Name}[/]", $"[grey]{node.Shape}[/]", $"{metrics["vllm:num_requests_running"]:F0}", $"{metrics["vllm:num_requests_waiting"]:F0}",
            $"{metrics["vllm:kv_cache_usage_perc"]:P1}", queries == 0 ? "-" : $"{metrics["vllm:prefix_cache_hits_total"] / queries:P0}",
            $"{metrics["ferry_kv_bytes_moved_total"] / (1 << 20):F1} MiB", $"{TokenRate(node.Name, metrics):F0}",
        ];
    }

    private double TokenRate(string node, NodeMetrics metrics)
    {
        var tokens = metrics["vllm:generation_tokens_total"] + metrics["vllm:prompt_tokens_total"];
        var now = time.GetTimestamp();
        var rate = _before.TryGetValue(node, out var before) ? (tokens - before.Tokens) / time.GetElapsedTime(before.At, now).TotalSeconds : 0;
        _before[node] = (tokens, now);
        return rate;
    }
}
