using Spectre.Console;

namespace Ferry.Cli.Up;

/// <summary>The table that is drawn again every second: nodes, queues, KV held and moved, hits, tokens a second.</summary>
internal sealed class LiveView(IAnsiConsole console, HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (double Tokens, long At)> _before = [];

    /// <summary>Draws until cancelled; where the output is no terminal it draws nothing and waits.</summary>
    public async Task RunAsync(IReadOnlyList<NodeProcess> nodes, CancellationToken cancellationToken)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
            return;
        }
        await console.Live(await TableAsync(nodes, cancellationToken)).StartAsync(async live =>
        {
            while (true)
            {
                await Task.Delay(Interval, time, cancellationToken);
                live.UpdateTarget(await TableAsync(nodes, cancellationToken));
            }
        });
    }

    private async Task<Table> TableAsync(IReadOnlyList<NodeProcess> nodes, CancellationToken cancellationToken)
    {
        var table = new Table().RoundedBorder().BorderColor(Color.Grey)
            .AddColumns("node", "shape", "running", "waiting", "KV used", "prefix hits", "KV from outside", "tokens/s");
        foreach (var node in nodes.Where(node => node.Spec.Shape.Length > 0))
        {
            var metrics = await NodeMetrics.TryReadAsync(http, node.Spec.Url, cancellationToken);
            table.AddRow(metrics is null ? [node.Spec.Name, node.Spec.Shape, "[red]no answer[/]", "", "", "", "", ""] : Row(node.Spec, metrics));
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
