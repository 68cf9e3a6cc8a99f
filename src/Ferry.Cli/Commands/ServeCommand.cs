using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.Json;
using Ferry.Serving.Hosting;
using Ferry.Serving.Options;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry serve MODEL</c>: one node with vLLM's flags, environment and API.</summary>
internal static class ServeCommand
{
    private const int Failed = 1;
    private const int UsageError = 2;

    /// <summary>Running requests get this long to end after Ctrl-C.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        // The settings have their own grammar (vLLM's: dotted flags, --no-…, many values), so all words go to ServeOptionsParser unread.
        var command = new Command("serve", "Serve a model with vLLM's OpenAI surface: ferry serve MODEL [flags], see ferry serve --help.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.Options.Add(new HelpOption { Action = new PrintHelp() });
        command.SetAction((result, cancellationToken) => RunAsync([.. result.UnmatchedTokens], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(List<string> words, CancellationToken cancellationToken)
    {
        if (words.Remove("--reference"))
        {
            Console.Out.Write(ConfigurationReference.ToMarkdown());
            return 0;
        }
        var checksOnly = words.Remove("--check");
        var asJson = words.Remove("--json");
        if (TakeLogLevel(words) is not { } level)
        {
            await Console.Error.WriteLineAsync("error: --log-level must be one of trace, debug, information, warning, error.");
            return UsageError;
        }
        var result = ServeOptionsParser.Parse(words, ServeOptionsParser.ProcessEnvironment(), new Machine());
        if (checksOnly)
        {
            Console.Out.Write(asJson ? StartupReport.ToJson(result).ToJsonString(Indented) + "\n" : StartupReport.ToText(result));
            return result.Options is null ? UsageError : 0;
        }
        await Console.Error.WriteAsync(StartupReport.ToText(result));
        if (result.Options is not { } options)
        {
            return UsageError;
        }
        return await ServeAsync(options, level, cancellationToken);
    }

    private static async Task<int> ServeAsync(ServeOptions options, LogLevel level, CancellationToken cancellationToken)
    {
        try
        {
            await using var node = await ServeNode.StartAsync(options, TimeProvider.System, logging => CommandLogging.Configure(logging, level), cancellationToken);
            Console.Out.WriteLine($"ferry serve: ready on {node.Address.ToString().TrimEnd('/')} ({node.Description})");
            await UntilCancelledAsync(cancellationToken);
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
            await Console.Error.WriteLineAsync($"error: {exception.Message}");
            return Failed;
        }
    }

    private static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var cancelled = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(() => cancelled.TrySetResult());
        await cancelled.Task;
    }

    /// <summary>Takes <c>--log-level L</c> or <c>--log-level=L</c> out; null: no such level.</summary>
    private static LogLevel? TakeLogLevel(List<string> words)
    {
        var at = words.FindIndex(word => word == "--log-level" || word.StartsWith("--log-level=", StringComparison.Ordinal));
        if (at < 0)
        {
            return LogLevel.Information;
        }
        var inline = words[at].Contains('=', StringComparison.Ordinal);
        var name = inline ? words[at].Split('=', 2)[1] : at + 1 < words.Count ? words[at + 1] : "";
        words.RemoveRange(at, inline || at + 1 >= words.Count ? 1 : 2);
        return CommandLogging.Parse(name);
    }

    private sealed class PrintHelp : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            Console.Out.Write(ConfigurationReference.ToHelp());
            return 0;
        }
    }
}
