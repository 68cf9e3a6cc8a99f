using System.Globalization;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Ferry.Kv.Text;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>A plan as tables for people.</summary>
internal sealed class PlanTables(IAnsiConsole console)
{
    public void Write(PlanReport report, ClusterSpec spec)
    {
        var plan = report.Plan;
        Line($"{plan.Cluster}: {plan.Model}, {Bytes(plan.WeightBytes)} of weights, {Bytes(plan.KvBytesPerToken)} of KV a token; a prompt of {plan.PromptTokens:N0} tokens is {Bytes(plan.PromptKvBytes)}, {plan.PromptObjects:N0} objects of {Bytes(plan.PromptKvBytes / plan.PromptObjects)}.");
        console.WriteLine();
        Pools(plan);
        Verdicts("Capacity", plan.Capacity);
        Speeds(plan);
        Tiers(plan);
        Transfers(plan, spec);
        Balance(plan);
        if (report.Simulation is { } simulation)
        {
            new SimulationTables(console).Write(simulation, report);
        }
    }

    private void Pools(CapacityPlan plan)
    {
        var table = Table("Memory", "pool", "nodes", "ranks", "weights a rank", "KV a rank", "tokens of KV a node", "sequences of full length", "limit", "average at limit", "NIXL host buffers");
        foreach (var pool in plan.Pools)
        {
            Row(table, $"{pool.Pool} ({pool.Accelerator})", pool.Nodes, pool.Ranks, Bytes(pool.WeightBytesPerRank), Bytes(pool.KvBytesPerRank), Text($"{pool.KvTokens:N0}"), Text($"{pool.FullLengthSequences:N0}"), pool.SequenceLimit, Text($"{pool.AverageTokensAtLimit:N0}"), Bytes(pool.NixlHostBytes));
        }
        console.Write(table);
    }

    private void Speeds(CapacityPlan plan)
    {
        var table = Table($"Speed of a node (roofline: prompts of {plan.PromptTokens:N0}, answers of {plan.OutputTokens:N0} tokens)", "pool", "prefill of a prompt", "prefill tokens/s", "KV it brings forth", "decode batch", "step", "of it weights", "decode tokens/s", "descriptors a rank");
        foreach (var pool in plan.Pools)
        {
            Row(table, pool.Pool, Time(pool.PrefillSeconds), Text($"{pool.PrefillTokensPerSecond:N0}"), Rate(pool.KvBytesPerSecond), pool.DecodeSequences, Time(pool.DecodeStepSeconds), Time(pool.WeightStepSeconds), Text($"{pool.DecodeTokensPerSecond:N0}"), Text($"{pool.DescriptorsPerRank:N0}"));
        }
        console.Write(table);
    }

    private void Tiers(CapacityPlan plan)
    {
        var table = Table("Tiers: load or compute?", "pool", "tier", "size", "tokens", "prompts", "rate", "load a prompt", "compute it", "verdict");
        foreach (var tier in plan.Tiers)
        {
            var verdict = tier.Tier == "device" ? "is there" : tier.BreakEvenTokens is not { } tokens
                ? $"compute: loading needs more than {Rate(tier.BreakEvenBytesPerSecond)}"
                : tokens < 1 ? "load" : Text($"load from {tokens:N0} tokens on");
            Row(table, tier.Pool, tier.Tier, tier.Bytes == 0 ? "no cap" : Bytes(tier.Bytes), tier.Bytes == 0 ? "" : Text($"{tier.Tokens:N0}"), tier.Bytes == 0 ? "" : Text($"{tier.Prompts:N1}"), tier.BytesPerSecond == 0 ? "" : Rate(tier.BytesPerSecond), tier.Tier == "device" ? "" : Time(tier.LoadSeconds), Time(tier.ComputeSeconds), verdict);
        }
        console.Write(table);
    }

    private void Transfers(CapacityPlan plan, ClusterSpec spec)
    {
        var flows = plan.Transfers[0].Shared;
        var table = Table(
            $"Hand-over of a prompt by {SpecNames.Of(spec.Handover.Kind)}",
            ["link", "wire alone", "descriptors", "staging", "alone in all", .. flows.Select(row => Text($"wire among {row.Flows}: median, p99"))]);
        foreach (var transfer in plan.Transfers)
        {
            Row(table, [transfer.Link, Time(transfer.WireSeconds), Time(transfer.DescriptorSeconds), Time(transfer.StagingSeconds), Time(transfer.Seconds), .. transfer.Shared.Select(row => $"{Time(row.MedianSeconds)}, {Time(row.TailSeconds)}")]);
        }
        console.Write(table);
    }

    private void Balance(CapacityPlan plan)
    {
        var balance = plan.Balance;
        Line($"[bold]Balance[/]: prefill carries {balance.PrefillRequestsPerSecond:0.###} requests/s, decode {balance.DecodeRequestsPerSecond:0.###}{(balance.LinkRequestsPerSecond is { } link ? Text($", the network {link:0.###}") : "")}; the limit is {balance.Bottleneck}.");
        Verdicts("", balance.Verdicts);
        if (plan.Cost is { } cost)
        {
            Line($"[bold]Cost[/]: {cost.PerHour:0.##} an hour at {cost.RequestsPerSecond:0.###} requests/s is {cost.PerMillionTokens:0.###} for a million tokens ({cost.PerMillionOutputTokens:0.##} for a million of output); {cost.TogetherPerMillionTokens:0.###} if every node did both.");
        }
        else
        {
            Line($"[bold]Cost[/]: give plan.prices, the price of a node's hour of each pool.");
        }
        console.WriteLine();
    }

    private void Verdicts(string title, IReadOnlyList<Verdict> verdicts)
    {
        if (verdicts.Count > 0 && title.Length > 0)
        {
            console.MarkupLine($"[bold]{title}[/]");
        }
        foreach (var verdict in verdicts)
        {
            console.MarkupLine($"  {(verdict.IsWarning ? "[yellow]![/]" : "-")} {Markup.Escape(verdict.Text)}");
        }
        if (verdicts.Count > 0)
        {
            console.WriteLine();
        }
    }

    private void Line(FormattableString text) => console.MarkupLine(Text(text));

    internal static Table Table(string title, params string[] columns)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"[bold]{Markup.Escape(title)}[/]");
        for (var index = 0; index < columns.Length; index++)
        {
            var column = new TableColumn(Markup.Escape(columns[index]));
            table.AddColumn(index == 0 ? column : column.RightAligned());
        }
        return table;
    }

    internal static void Row(Table table, params object[] cells) =>
        table.AddRow([.. cells.Select(cell => Markup.Escape(Convert.ToString(cell, CultureInfo.InvariantCulture) ?? ""))]);

    internal static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    internal static string Bytes(long bytes) => ByteSize.Format(bytes);

    internal static string Rate(double bytesPerSecond) => RateText.Format(bytesPerSecond);

    /// <summary>Three figures that matter, in the unit that fits.</summary>
    internal static string Time(double seconds) => seconds switch
    {
        0 => "0",
        < 0.001 => Text($"{seconds * 1e6:0.#} us"),
        < 0.1 => Text($"{seconds * 1e3:0.0} ms"),
        < 1 => Text($"{seconds * 1e3:0} ms"),
        < 120 => Text($"{seconds:0.00} s"),
        _ => Text($"{seconds / 60:0.0} min"),
    };
}
