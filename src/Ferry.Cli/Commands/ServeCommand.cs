using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;
using Ferry.Serving.Hosting;
using Ferry.Serving.Options;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry serve MODEL</c>: one node with vLLM's flags, environment and API.</summary>
internal static class ServeCommand
{
    /// <summary>Running requests get this long to end after Ctrl-C.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        // The settings have their own grammar (vLLM's: dotted flags, --no-…, many values), so all words go to ServeOptionsParser unread.
        var command = new Command("serve", "Serve a model with vLLM's OpenAI surface: ferry serve MODEL [flags], see ferry serve --help.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.Options.Add(new HelpOption { Action = new PrintHelp() });
        command.SetAction((result, cancellationToken) => RunAsync([.. result.UnmatchedTokens], result.InvocationConfiguration, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(List<string> words, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        if (words.Remove("--reference"))
        {
            console.Output.Write(ConfigurationReference.ToMarkdown());
            return 0;
        }
        var checksOnly = words.Remove("--check");
        var asJson = words.Remove("--json");
        var stopsOnStdinClose = words.Remove("--stop-on-stdin-close");
        if (CommandLogging.Parse(CommandWords.Take(words, "--log-level", out _) ?? "information") is not { } level)
        {
            await console.Error.WriteLineAsync("error: --log-level must be one of trace, debug, information, warning, error.");
            return FerryCommandLine.WrongUsage;
        }
        var result = ServeOptionsParser.Parse(words, Machine.Environment(), new Machine());
        if (checksOnly)
        {
            console.Output.Write(asJson ? StartupReport.ToJson(result.Findings).ToJsonString(JsonOutput.Format) + "\n" : StartupReport.ToText(result.Findings));
            return result.Options is null ? FerryCommandLine.WrongUsage : 0;
        }
        await console.Error.WriteAsync(result.Options is null ? StartupReport.ToRefusal(result.Findings) : StartupReport.ToText(result.Findings));
        if (result.Options is not { } options)
        {
            return FerryCommandLine.WrongUsage;
        }
        return await ServeAsync(options, level, stopsOnStdinClose, console, cancellationToken);
    }

    private static async Task<int> ServeAsync(ServeOptions options, LogLevel level, bool stopsOnStdinClose, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            await using var node = await ServeNode.StartAsync(options, TimeProvider.System, logging => CommandLogging.Configure(logging, level), cancellationToken);
            console.Output.WriteLine($"ferry serve: ready on {node.Address.ToString().TrimEnd('/')} ({node.Description})");
            await StopSignal.WaitAsync(stopsOnStdinClose, cancellationToken);
            using var grace = new CancellationTokenSource(Grace, TimeProvider.System);
            await node.StopAsync(grace.Token);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception exception) when (ServeNode.IsUserError(exception))
        {
            await console.Error.WriteLineAsync($"error: {exception.Message}");
            return FerryCommandLine.Failed;
        }
    }

    private sealed class PrintHelp : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.Write(ConfigurationReference.ToHelp());
            return 0;
        }
    }
}
