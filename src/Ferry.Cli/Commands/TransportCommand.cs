using System.CommandLine;
using Ferry.Cli.Commands.Transport;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry transport</c>: what carries KV between hosts, how fast, and what stands in its way.</summary>
internal static class TransportCommand
{
    public static Command Create()
    {
        var command = new FerryCommand("transport", "See and try what carries KV between nodes: UCX, RDMA, shared memory, TCP.",
            new CommandExample("ferry transport info", "What this host has, what UCX_TLS selects, and what to put right"),
            new CommandExample("UCX_TLS=rc,rocm,sm,self ferry transport info", "What a value would come to here"),
            new CommandExample("ferry transport check 10.0.0.1:5600", "Is the way to that node ready for a hand-over?"),
            new CommandExample("ferry transport bench --media tcp,shm --sizes 1MiB,20MiB", "What do the media give on this host?"));
        // One line a command: its file in Commands/Transport creates it.
        command.Subcommands.Add(InfoCommand.Create());
        command.Subcommands.Add(CheckCommand.Create());
        command.Subcommands.Add(BenchCommand.Create());
        return command;
    }
}
