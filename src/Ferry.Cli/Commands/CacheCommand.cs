using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Ferry.Cache.Remote.Hosting;
using Ferry.Cache.Remote.Hosting.Options;
using Ferry.Cache.Remote.Settings;
using Ferry.Cli.Commands.Cache;
using Ferry.Cli.Help;
using Ferry.Kv.Settings;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry cache</c>: one exchange that LMCache clients share, and the commands that look after it.</summary>
internal static class CacheCommand
{
    /// <summary>The longest drain, and time for what comes after it.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromHours(1) + TimeSpan.FromMinutes(1);

    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry cache --memory 4GiB", "Memory only: the meeting point of two vendors' LMCache (LMCACHE_REMOTE_URL=redis://HOST:6390)"),
        new("ferry cache --memory 4GiB --disk /var/lib/ferry --disk-size 20GiB --remote 's3://kv?endpoint=http://127.0.0.1:7480'", "Three tiers: memory, disk, a Ceph bucket"),
        new("LMCACHE_REMOTE_URL=s3://s3.ceph.example/nixl/ LMCACHE_S3_ENDPOINT_URL=http://s3.ceph.example ferry cache --check", "What LMCache's own environment means here"),
        new("ferry cache --config exchange.yaml", "The same settings in a file"),
        new("ferry cache ls", "What a running exchange holds"),
    ];

    public static Command Create()
    {
        // The settings have a grammar of their own (--no-…, several values), so all words but the commands go to ExchangeOptionsParser unread.
        var command = new FerryCommand("cache", "Keep KV for LMCache clients of any vendor: memory, disk, S3. Also ls, stat, get, pin, clear, flush, move, verify, export, import.", Examples)
        {
            StopTimeout = StopTimeout,
            TreatUnmatchedTokensAsErrors = false,
        };
        foreach (var subcommand in CacheSubcommands.Create())
        {
            command.Subcommands.Add(subcommand);
        }
        command.Options.Add(new HelpOption { Action = new PrintHelp(command) });
        command.SetAction((result, cancellationToken) => RunAsync([.. result.UnmatchedTokens], [.. command.Subcommands.Select(one => one.Name)], result.InvocationConfiguration, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(List<string> words, IReadOnlyList<string> subcommands, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        if (words is [{ } first, ..] && !first.StartsWith('-'))
        {
            await console.Error.WriteLineAsync($"ferry cache: unknown command '{first}'.{NameHint.Of(first, subcommands)}");
            await console.Error.WriteLineAsync("Run 'ferry cache --help' for its commands and settings.");
            return FerryCommandLine.WrongUsage;
        }
        if (words.Remove("--reference"))
        {
            console.Output.Write(ExchangeReference.ToMarkdown());
            return FerryCommandLine.Done;
        }
        var checksOnly = words.Remove("--check");
        var asJson = words.Remove("--json");
        var isLenient = words.Remove("--lenient");
        var stopsOnStdinClose = words.Remove("--stop-on-stdin-close");
        var level = CommandLogging.Parse(CommandWords.Take(words, "--log-level", out var levelGiven) ?? (levelGiven ? "" : "information"));
        var config = CommandWords.Take(words, "--config", out var configGiven);
        if (level is null || (configGiven && config is null))
        {
            await console.Error.WriteLineAsync(level is null ? "error: --log-level must be one of trace, debug, information, warning, error." : "error: --config needs a file.");
            return FerryCommandLine.WrongUsage;
        }
        var result = ExchangeOptionsParser.Parse(words, config, isLenient, Machine.Environment(), new Machine());
        if (checksOnly)
        {
            console.Output.Write(asJson ? StartupReport.ToJson(result.Findings).ToJsonString(JsonOutput.Format) + "\n" : StartupReport.ToText(result.Findings));
            return result.Options is null ? FerryCommandLine.WrongUsage : FerryCommandLine.Done;
        }
        await console.Error.WriteAsync(result.Options is null ? StartupReport.ToRefusal(result.Findings) : StartupReport.ToText(result.Findings));
        return result.Options is { } options
            ? await ServeAsync(options, level.Value, stopsOnStdinClose, console, cancellationToken)
            : FerryCommandLine.WrongUsage;
    }

    private static async Task<int> ServeAsync(ExchangeOptions options, LogLevel level, bool stopsOnStdinClose, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            await using var exchange = await ExchangeHost.StartAsync(options, TimeProvider.System, logging => CommandLogging.Configure(logging, level), cancellationToken);
            using var second = SecondSignal.EndAtOnce(console.Error);
            console.Output.WriteLine($"ferry cache: ready on {string.Join(", ", Addresses(exchange))}");
            foreach (var (part, text) in exchange.Description)
            {
                console.Output.WriteLine($"  {part,-9} {text}");
            }
            await StopSignal.WaitAsync(stopsOnStdinClose, cancellationToken);
            await console.Error.WriteLineAsync($"ferry cache: stopping; what is queued has {options.Drain} to reach its tier (a second signal ends at once).");
            using var drain = new CancellationTokenSource(options.Drain, TimeProvider.System);
            await exchange.StopAsync(drain.Token);
            return FerryCommandLine.Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return FerryCommandLine.Done;
        }
        catch (Exception exception) when (ExchangeHost.IsUserError(exception))
        {
            await console.Error.WriteLineAsync($"error: {exception.Message}");
            return FerryCommandLine.Failed;
        }
    }

    private static IEnumerable<string> Addresses(ExchangeHost exchange)
    {
        (ListenAddress? At, string Scheme)[] all = [(exchange.Resp, "redis"), (exchange.Lm, "lm"), (exchange.Admin, "http")];
        return all.Where(one => one.At is not null).Select(one => $"{one.Scheme}://{one.At}");
    }

    private sealed class PrintHelp(Command command) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.Write("Description:\n  One exchange: a KV store in tiers that unmodified LMCache clients of any vendor share.\n\n");
            output.Write("Usage:\n  ferry cache [settings]             run an exchange\n  ferry cache COMMAND [options]      ask or change a running one\n\nCommands:\n");
            foreach (var subcommand in command.Subcommands)
            {
                output.WriteLine($"  {subcommand.Name,-10} {subcommand.Description}");
            }
            output.Write("\n" + ExchangeReference.ToHelp() + "\nExamples:\n");
            foreach (var example in Examples)
            {
                output.Write($"  # {example.Purpose}\n  {example.CommandLine}\n\n");
            }
            output.Write("Exit codes: 0 stopped cleanly, 1 failed, 2 settings are wrong, 130 interrupted. All settings: docs/configuration-cache.md\n");
            return FerryCommandLine.Done;
        }
    }
}
