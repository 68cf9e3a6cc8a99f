using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli;

/// <summary>Runs one command line: commands, help, and errors that name the nearest word. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.</summary>
internal static class FerryCommandLine
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>Ended by Ctrl-C, as shells report it.</summary>
    public const int Interrupted = 130;

    /// <summary>How long a command may take to stop after Ctrl-C before the process ends anyway.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, IEnumerable<Command> commands, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var root = new RootCommand("Ferry: stores, converts, moves and proves KV cache between unlike accelerators.");
        foreach (var command in commands)
        {
            root.Subcommands.Add(command);
        }
        HelpWithExamples.Install(root);

        // No response files: a prompt may start with '@'.
        var result = root.Parse(arguments.Count > 0 ? arguments : ["--help"], new ParserConfiguration { ResponseFileTokenReplacer = null });
        // A command with a grammar of its own (serve: vLLM's) judges its words itself.
        string[] unmatched = result.CommandResult.Command.TreatUnmatchedTokensAsErrors ? [.. Swallowed(result, arguments), .. result.UnmatchedTokens] : [];
        if (result.Action is ParseErrorAction || (unmatched.Length > 0 && result.Action is not HelpWithExamples))
        {
            ReportUsage(result, unmatched, arguments, error);
            return WrongUsage;
        }
        try
        {
            // Errors come to the catch below, so that every command reports them alike.
            var status = await result.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = output,
                    Error = error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = (result.CommandResult.Command as FerryCommand)?.StopTimeout ?? StopTimeout,
                }, cancellationToken);
            return arguments.Count > 0 ? status : WrongUsage;
        }
        catch (UsageException exception)
        {
            error.WriteLine($"{Name(result)}: {exception.Message}");
            error.WriteLine($"Run '{Name(result)} --help' for its options and examples.");
            return WrongUsage;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
        catch (Exception exception)
        {
            error.WriteLine($"{Name(result)}: unexpected failure; this is a defect of Ferry, please report it.");
            error.WriteLine(exception);
            return Failed;
        }
    }

    /// <summary>Mistyped options that the parser took for the value of a positional argument; a real one stands behind <c>--</c>.</summary>
    private static IEnumerable<string> Swallowed(ParseResult result, IReadOnlyList<string> arguments) => arguments.Contains("--")
        ? []
        : result.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)
            .Where(value => value.StartsWith("--", StringComparison.Ordinal));

    private static void ReportUsage(ParseResult result, string[] unmatched, IReadOnlyList<string> arguments, TextWriter error)
    {
        var command = result.CommandResult.Command;
        foreach (var message in unmatched.Length > 0 ? Unmatched(result, unmatched, arguments) : result.Errors.Select(Message))
        {
            error.WriteLine($"{Name(result)}: {message}");
        }
        error.WriteLine($"Run '{Name(result)} --help' for its {(command.Subcommands.Count > 0 ? "commands" : "options and examples")}.");
    }

    private static IEnumerable<string> Unmatched(ParseResult result, string[] unmatched, IReadOnlyList<string> arguments)
    {
        var command = result.CommandResult.Command;
        var afterUnknownOption = false;
        foreach (var token in arguments.Where(unmatched.Contains))
        {
            if (token.StartsWith('-') && token.Length > 1)
            {
                var name = token.Split('=', ':')[0];
                var options = command.Options.SelectMany(option => option.Aliases.Prepend(option.Name)).Where(known => known.StartsWith("--", StringComparison.Ordinal));
                yield return $"unknown option '{name}'.{DidYouMean(name, options)}";
                afterUnknownOption = name == token;
                continue;
            }
            if (!afterUnknownOption)   // else it is that option's value, which the error above explains
            {
                yield return command.Subcommands.Count > 0
                    ? $"unknown command '{token}'.{DidYouMean(token, command.Subcommands.Select(known => known.Name))}"
                    : $"unexpected argument '{token}'{After(token, arguments)}.";
            }
            afterUnknownOption = false;
        }
    }

    /// <summary>The parser's own message, except where that names a .NET type.</summary>
    private static string Message(ParseError error)
    {
        var option = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        return option is { Tokens.Count: 1 } && option.Option.ValueType is { IsPrimitive: true } type && error.Message.Contains(type.FullName!, StringComparison.Ordinal)
            ? $"{option.Option.Name} is '{option.Tokens[0].Value}', which is not a {(type == typeof(double) || type == typeof(float) ? "number" : type == typeof(bool) ? "truth value (true, false)" : "whole number in its range")}."
            : error.Message;
    }

    private static string After(string token, IReadOnlyList<string> arguments)
    {
        for (var i = 1; i < arguments.Count; i++)
        {
            if (arguments[i] == token)
            {
                return $" after '{arguments[i - 1]}'";
            }
        }
        return "";
    }

    private static string DidYouMean(string name, IEnumerable<string> known) =>
        NearestName.Find(name, known) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    private static string Name(ParseResult result) =>
        result.CommandResult.Command is RootCommand ? "ferry" : $"ferry {result.CommandResult.Command.Name}";
}
