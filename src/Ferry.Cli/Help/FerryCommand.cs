using System.CommandLine;

namespace Ferry.Cli.Help;

/// <summary>A command whose <c>--help</c> ends with examples.</summary>
internal sealed class FerryCommand(string name, string description, params IReadOnlyList<CommandExample> examples)
    : Command(name, description)
{
    public IReadOnlyList<CommandExample> Examples { get; } = examples;

    /// <summary>How long it may take to stop after a signal; null: as every command.</summary>
    public TimeSpan? StopTimeout { get; init; }
}
