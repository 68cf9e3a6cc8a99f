using Ferry.Cluster.Planning.Simulation;
using Spectre.Console;
using static Ferry.Cli.Commands.Cluster.PlanTables;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>A simulation as tables for people.</summary>
internal sealed class SimulationTables(IAnsiConsole console)
{
    public void Write(SimulationResult result, PlanReport report)
    {
        console.MarkupLine(Text($"[bold]Simulation[/]: {result.Served:N0} of {result.Requests:N0} requests served in {Time(result.Seconds)} ({result.RequestsPerSecond:0.###}/s), {result.PromptTokens:N0} prompt and {result.OutputTokens:N0} output tokens; {result.HandedOver:N0} hand-overs moved {Bytes((long)result.MovedBytes)}."));
        foreach (var warning in report.Warnings)
        {
            console.MarkupLine($"  [yellow]![/] {Markup.Escape(warning)}");
        }
        console.WriteLine();
        Latencies(result);
        Sources(result);
        Use(result);
        Curve(report);
    }

    private void Latencies(SimulationResult result)
    {
        var table = Table("Latency", "", "median", "p90", "p99", "longest", "mean");
        foreach (var (name, figures) in ((string, LatencyFigures)[])[("first token", result.FirstToken), ("each further token", result.PerToken), ("end to end", result.EndToEnd), ("hand-over", result.HandOver)])
        {
            Row(table, name, Time(figures.Median), Time(figures.P90), Time(figures.P99), Time(figures.Maximum), Time(figures.Mean));
        }
        console.Write(table);
    }

    private void Sources(SimulationResult result)
    {
        var table = Table("Where prompt tokens came from", "tier", "tokens", "share");
        foreach (var tier in result.Tiers)
        {
            Row(table, tier.Tier, Text($"{tier.Tokens:N0}"), Text($"{tier.Ratio:P1}"));
        }
        console.Write(table);
    }

    private void Use(SimulationResult result)
    {
        var table = Table("How busy a node was", "pool", "prefill", "of it loading", "decode", "batch", "sending", "receiving");
        foreach (var pool in result.Pools)
        {
            Row(table, pool.Pool, Text($"{pool.Prefill:P0}"), Text($"{pool.Loading:P0}"), Text($"{pool.Decode:P0}"), Text($"{pool.Batch:0.0}"), Text($"{pool.Outgoing:P0}"), Text($"{pool.Incoming:P0}"));
        }
        console.Write(table);
    }

    private void Curve(PlanReport report)
    {
        var table = Table($"What one shared cache of some size would hit ({report.CurvePolicy})", "size", "blocks of 512 tokens", "blocks found");
        foreach (var point in report.HitCurve ?? [])
        {
            Row(table, Bytes(point.Bytes), Text($"{point.Blocks:N0}"), Text($"{point.Ratio:P1}"));
        }
        console.Write(table);
    }
}
