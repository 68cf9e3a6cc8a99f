using System.CommandLine;
using System.Runtime.InteropServices;
using Ferry.Cli.Help;
using Ferry.Cli.Logs;
using Ferry.Router;
using Ferry.Router.Configuration;
using Ferry.Router.Hosting;
using Ferry.Router.Security;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry route</c>: runs the prefill and the decode leg of every request and passes kv_transfer_params between them.</summary>
internal static class RouteCommand
{
    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry route --prefill http://10.0.0.1:8000 --decode http://10.0.0.2:8000", "One prefill and one decode node"),
        new("ferry route --prefill http://a:8000 --prefill http://b:8000 --decode http://c:8001 --port 9000 --policy prefix-aware", "Two prefill nodes; who has the prefix gets the prompt"),
        new("ferry route --config router.yaml --check", "Is the file good?"),
        new("curl -i localhost:9000/v1/completions -H 'Content-Type: application/json' -d '{\"prompt\":\"Once\",\"max_tokens\":8}'", "Ask it, and see who worked"),
    ];

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly Option<string?> Config = new("--config") { Description = "router.yaml; see docs/router-configuration.md. Flags win over it.", HelpName = "FILE" };
    private static readonly Option<string[]> Prefill = Many("--prefill", "URL of a prefill node, for example http://10.0.0.1:8000; may stand several times.");
    private static readonly Option<string[]> Decode = Many("--decode", "URL of a decode node; may stand several times.");
    private static readonly Option<string> Level = new("--log-level") { Description = "trace, debug, information, warning or error.", DefaultValueFactory = _ => "information" };
    private static readonly Option<string> Format = Formats();
    private static readonly Option<bool> StopOnStdinClose = new("--stop-on-stdin-close") { Description = "Stop when standard input ends: for programs that start nodes." };
    private static readonly Option<bool> Check = new("--check") { Description = "Read everything, say what is wrong, and stop. Exit code 0, or 2 with errors." };
    private static readonly Option<bool> Reference = new("--reference") { Description = "Print docs/router-configuration.md." };
    private static readonly Option<string?> NewApiKey = new("--new-api-key") { Description = "Print a new API key and its entry for security.apiKeysFile.", HelpName = "NAME" };

    /// <summary>One a setting, from the table that the documentation is made of.</summary>
    private static readonly IReadOnlyList<Option<string?>> Settings =
        [.. RouterFlags.All.Select(flag => new Option<string?>(flag.Flag) { Description = $"{flag.Text} Default: {(flag.Default.Length > 0 ? flag.Default : "none")}.", HelpName = flag.ValueName, Arity = IsSwitch(flag.ValueName) ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne })];

    public static Command Create()
    {
        var command = new FerryCommand("route", "Route requests over prefill and decode nodes (vLLM or ferry serve), handing KV over between them; the answer's header x-ferry-route says what happened.", Examples);
        foreach (var option in (Option[])[Config, Prefill, Decode, .. Settings, Level, Format, Check, Reference, NewApiKey, StopOnStdinClose])
        {
            command.Options.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var output = result.InvocationConfiguration.Output;
        if (result.GetValue(Reference))
        {
            await output.WriteAsync(RouterReference.ToMarkdown());
            return 0;
        }
        if (result.GetValue(NewApiKey) is { } name)
        {
            var (key, entry) = ApiKey.Create(name);
            await output.WriteLineAsync($"key, shown once: {key}\nentry of the key file, below 'keys:':\n{entry}");
            return 0;
        }
        var configuration = new RouterConfiguration(
            result.GetValue(Config), [.. Settings.Where(option => result.GetResult(option) is not null).Select(option => (option.Name, result.GetValue(option) ?? "true"))],
            result.GetValue(Prefill) ?? [], result.GetValue(Decode) ?? []);
        var errors = new List<string>();
        var options = configuration.Read(errors);
        var level = CommandLogging.Parse(result.GetValue(Level)!);
        if (level is null)
        {
            errors.Add($"--log-level is '{result.GetValue(Level)}'; it must be one of trace, debug, information, warning, error.");
        }
        if (errors.Count > 0)
        {
            return await FailAsync(result, errors);
        }
        if (result.GetValue(Check))
        {
            await output.WriteLineAsync($"good: {options.Prefill.Count} prefill and {options.Decode.Count} decode nodes, {options.Policy}");
            return 0;
        }
        return await RouteAsync(configuration, options, level!.Value, result, cancellationToken);
    }

    private static async Task<int> RouteAsync(RouterConfiguration configuration, RouterOptions options, LogLevel level, ParseResult result, CancellationToken cancellationToken)
    {
        RouterProcess.Tune();
        try
        {
            await using var router = await RouterHost.StartAsync(configuration, options, TimeProvider.System, logging => CommandLogging.Configure(logging, level, result.GetValue(Format) == "json" ? LogFormat.Json : LogFormat.Text), cancellationToken);
            var admin = router.AdminAddress is { } address ? $", admin on {address.ToString().TrimEnd('/')}" : "";
            result.InvocationConfiguration.Output.WriteLine($"ferry route: ready on {router.Address.ToString().TrimEnd('/')} ({options.Prefill.Count} prefill, {options.Decode.Count} decode, {options.Policy}){admin}");
            using (PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Reload(signal, router, cancellationToken)))
            {
                await StopSignal.WaitAsync(result.GetValue(StopOnStdinClose), cancellationToken);
            }
            using var grace = new CancellationTokenSource(Grace, TimeProvider.System);
            await router.StopAsync(grace.Token);
            return 0;
        }
        catch (RouterStartException exception)
        {
            return await FailAsync(result, exception.Errors);
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"error: cannot start on {options.Host}:{options.Port}: {exception.Message} Take another --port, or look at what the message names.");
            return FerryCommandLine.Failed;
        }
    }

    /// <summary>SIGHUP: read the configuration again. What is wrong with it is logged, and changes nothing.</summary>
    private static void Reload(PosixSignalContext signal, RouterHost router, CancellationToken cancellationToken)
    {
        signal.Cancel = true;
        _ = router.ReloadAsync(cancellationToken);   // one at a time; it catches and logs what is wrong
    }

    private static async Task<int> FailAsync(ParseResult result, IReadOnlyList<string> errors)
    {
        foreach (var error in errors)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"error: {error}");
        }
        return FerryCommandLine.WrongUsage;
    }

    /// <summary>A switch may stand alone, which means true.</summary>
    private static bool IsSwitch(string valueName) => valueName == "true|false";

    private static Option<string> Formats()
    {
        var option = new Option<string>("--log-format") { Description = "text, or json: one object a line, with each value by its name.", DefaultValueFactory = _ => "text" };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    private static Option<string[]> Many(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true };
}
