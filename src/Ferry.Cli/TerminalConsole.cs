using Spectre.Console;

namespace Ferry.Cli;

/// <summary>Spectre's console over the writer of a command: colours only on a real terminal, plain text in pipes, files and tests.</summary>
internal static class TerminalConsole
{
    /// <param name="output">The command's <c>InvocationConfiguration.Output</c>.</param>
    public static IAnsiConsole Create(TextWriter output)
    {
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        return AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
    }
}
