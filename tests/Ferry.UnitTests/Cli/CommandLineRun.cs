using System.CommandLine;
using Ferry.Cli;
using Ferry.Cli.Commands;

namespace Ferry.UnitTests.Cli;

/// <summary>Runs a command line inside the test and keeps what it printed.</summary>
internal sealed record CommandLineRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandLineRun> OfAsync(IEnumerable<Command> commands, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await FerryCommandLine.RunAsync(arguments, commands, output, error, CancellationToken.None);
        return new CommandLineRun(exitCode, output.ToString(), error.ToString());
    }

    public static Task<CommandLineRun> OfAsync(params string[] arguments) => OfAsync([KeysCommand.Create()], arguments);
}
