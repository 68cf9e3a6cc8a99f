using Ferry.Kv.Text;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;
using Spectre.Console;

namespace Ferry.Cli.Commands.Transport;

/// <summary>The report for people: what is chosen, what there is, what is wrong.</summary>
internal static class HostReportText
{
    private const int LabelWidth = 13;

    public static void Write(HostReport report, TextWriter output)
    {
        if (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected)
        {
            Write(report, TerminalConsole.Create(output));
            return;
        }
        // The grid fills its cells with blanks, which nobody wants in a file.
        using var plain = new StringWriter();
        Write(report, TerminalConsole.Create(plain));
        foreach (var line in plain.ToString().TrimEnd().Split('\n'))
        {
            output.WriteLine(line.TrimEnd());
        }
    }

    private static void Write(HostReport report, IAnsiConsole console)
    {
        WritePlan(report, console);
        WriteUcx(report, console);
        WriteRdma(report, console);
        WriteMemory(report, console);
        WriteNetwork(report, console);
        WriteProblems(report, console);
    }

    private static void WritePlan(HostReport report, IAnsiConsole console)
    {
        Line(console, "bytes take", report.Plan.Media.Count == 0 ? "[red]nothing[/]" : $"[bold]{Markup.Escape(string.Join(", ", report.Plan.Media))}[/]");
        Line(console, "", Markup.Escape(report.Plan.Reason));
        foreach (var note in report.Plan.Notes)
        {
            Line(console, "", Markup.Escape(note));
        }
        console.WriteLine();
    }

    private static void WriteUcx(HostReport report, IAnsiConsole console)
    {
        if (report.Ucx.Release is null)
        {
            Line(console, "UCX", "[yellow]none[/]");
            Line(console, "", Markup.Escape(report.Ucx.Reason));
            console.WriteLine();
            return;
        }
        Line(console, "UCX", $"{Markup.Escape(report.Ucx.Release)}  [dim]{Markup.Escape(report.Ucx.Path ?? "")}; memory: {Markup.Escape(string.Join(", ", report.Ucx.MemoryTypes))}[/]");
        foreach (var kind in Enum.GetValues<UcxTransportKind>().Reverse())
        {
            foreach (var group in report.Ucx.Resources.GroupBy(UcxFacts.NameOf).Where(group => KindOf(group.Key) == kind))
            {
                var devices = string.Join(", ", group.Select(resource => resource[(resource.IndexOf('/', StringComparison.Ordinal) + 1)..]));
                var (mark, style) = report.Tls.Allows(group.Key) ? ("+", "green") : ("-", "dim");
                Line(console, "", $"[{style}]{mark} {Markup.Escape(group.Key),-10} {Markup.Escape(Text(kind)),-22} {Markup.Escape(devices)}[/]");
            }
        }
        if (!report.Tls.AllowsAll)
        {
            Line(console, "", $"[dim]+ named by UCX_TLS={Markup.Escape(report.Tls.ToString())}, - left out by it[/]");
        }
        console.WriteLine();
    }

    private static void WriteRdma(HostReport report, IAnsiConsole console)
    {
        if (report.Rdma.Count == 0)
        {
            Line(console, "RDMA", "[dim]no device[/]");
        }
        foreach (var (port, index) in report.Rdma.Select((port, index) => (port, index)))
        {
            var style = port.IsActive ? "green" : "yellow";
            Line(console, index == 0 ? "RDMA" : "", Markup.Escape($"{port.Device}:{port.Port}").PadRight(12)
                + $" [{style}]{Markup.Escape(port.State)}[/]  {Markup.Escape(port.Rate)}, {Markup.Escape(Fabric(port))}{(port.Interfaces.Count > 0 ? ", " + Markup.Escape(string.Join(", ", port.Interfaces)) : "")}");
        }
        if (report.Accelerators.Devices.Count > 0)
        {
            Line(console, "accelerator", Markup.Escape($"{report.Accelerators.Vendor}: {string.Join(", ", report.Accelerators.Devices)}"));
        }
        console.WriteLine();
    }

    private static void WriteMemory(HostReport report, IAnsiConsole console)
    {
        var rights = report.Rights;
        Line(console, "memory", Markup.Escape($"may lock {(rights.MayLockAny ? "any amount (CAP_IPC_LOCK)" : rights.LockedBytesMax is { } limit ? ByteSize.Format(limit) : "any amount")}"));
        Line(console, "", Markup.Escape($"{(rights.MayReadOthers ? "may" : "may not")} read other processes (cma): {Why(rights)}"));
        Line(console, "", Markup.Escape($"large pages: {report.HugePages.Transparent ?? "none"}"
            + (report.HugePages.Reserved > 0 ? $", {report.HugePages.Free} of {report.HugePages.Reserved} of {ByteSize.Format(report.HugePages.PageBytes)} free" : ", none reserved")));
        if (report.SharedMemory is { } space)
        {
            Line(console, "", Markup.Escape($"/dev/shm: {ByteSize.Format(space.FreeBytes)} of {ByteSize.Format(space.TotalBytes)} free"));
        }
        console.WriteLine();
    }

    private static void WriteNetwork(HostReport report, IAnsiConsole console)
    {
        var width = report.Network.Select(card => card.Name.Length).DefaultIfEmpty(0).Max();
        foreach (var (card, index) in report.Network.OrderBy(card => card.IsLoopback).Select((card, index) => (card, index)))
        {
            var speed = card.Megabits is { } megabits ? megabits >= 1000 ? $"{megabits / 1000.0:0.#} Gb/s" : $"{megabits} Mb/s" : "";
            Line(console, index == 0 ? "network" : "", $"[{(card.IsUp ? "default" : "dim")}]{Markup.Escape(card.Name.PadRight(width))}  {(card.IsUp ? "up  " : "down")}  mtu {card.Mtu,-6} {speed,-9} {Markup.Escape(string.Join(", ", card.Addresses))}[/]");
        }
        Line(console, report.Network.Count == 0 ? "network" : "", Markup.Escape($"TCP buffers grow to {Size(report.Tcp.ReceiveTunedMax)} in, {Size(report.Tcp.SendTunedMax)} out; "
            + $"set by hand at most {Size(report.Tcp.ReceiveBytesMax)}, {Size(report.Tcp.SendBytesMax)}; {report.Tcp.CongestionControl ?? "?"}"));
        console.WriteLine();
    }

    private static void WriteProblems(HostReport report, IAnsiConsole console)
    {
        if (report.Problems.Count == 0)
        {
            console.MarkupLine("[green]Nothing stands in the way.[/]");
            return;
        }
        foreach (var problem in report.Problems)
        {
            Line(console, problem.IsError ? "must be fixed" : "slower", $"[{(problem.IsError ? "red" : "yellow")}]{Markup.Escape(problem.Topic)}:[/] {Markup.Escape(problem.Text)}");
            Line(console, "", $"→ [bold]{Markup.Escape(problem.Fix)}[/]");
        }
    }

    // Wrapped lines stay in their column.
    private static void Line(IAnsiConsole console, string label, string markup)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn { Width = LabelWidth, NoWrap = true, Padding = new Padding(0, 0, 1, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        grid.AddRow(new Markup($"[dim]{label}[/]"), new Markup(markup));
        console.Write(grid);
    }

    private static UcxTransportKind KindOf(string transport) => UcxNames.TryTransport(transport)?.Kind ?? UcxTransportKind.Rdma;

    private static string Text(UcxTransportKind kind) => kind switch
    {
        UcxTransportKind.Loopback => "inside a process",
        UcxTransportKind.SharedMemory => "shared memory",
        UcxTransportKind.Tcp => "sockets",
        UcxTransportKind.Rdma => "RDMA",
        _ => "accelerator memory",
    };

    private static string Fabric(RdmaPort port) => port.Layer == "Ethernet" ? "RoCE" : port.Layer;

    private static string Why(ProcessRights rights) => rights switch
    {
        { MayTraceAny: true } => "CAP_SYS_PTRACE",
        { PtraceScope: null } => "this kernel has no Yama; same user needed",
        { PtraceScope: 0 } => "ptrace_scope 0; same user needed",
        _ => $"ptrace_scope {rights.PtraceScope}",
    };

    private static string Size(long? bytes) => bytes is { } known ? ByteSize.Format(known) : "?";
}
