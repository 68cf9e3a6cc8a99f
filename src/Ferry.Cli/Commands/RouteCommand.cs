using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Router;
using Ferry.Router.Discovery;
using Ferry.Router.Forwarding;
using Ferry.Router.Hosting;
using Ferry.Router.Policies;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry route</c>: runs the prefill and the decode leg of every request and passes kv_transfer_params between them.</summary>
internal static class RouteCommand
{
    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry route --prefill http://10.0.0.1:8000 --decode http://10.0.0.2:8000", "One prefill and one decode node"),
        new("ferry route --prefill http://a:8000 --prefill http://b:8000 --decode http://c:8001 --port 9000", "Two prefill nodes"),
        new("curl -i localhost:9000/v1/completions -H 'Content-Type: application/json' -d '{\"prompt\":\"Once\",\"max_tokens\":8}'", "Ask it, and see who worked"),
    ];

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly Option<string[]> Prefill = Many("--prefill", "URL of a prefill node, for example http://10.0.0.1:8000; may stand several times.");
    private static readonly Option<string[]> Decode = Many("--decode", "URL of a decode node; may stand several times.");
    private static readonly Option<string> Host = new("--host") { Description = "Address to listen on.", DefaultValueFactory = _ => "0.0.0.0" };
    private static readonly Option<int> Port = new("--port") { Description = "Port to listen on; 0 takes a free one.", DefaultValueFactory = _ => 9000 };
    private static readonly Option<string> Policy = new("--policy") { Description = $"How a node is chosen: {string.Join(", ", NodePolicies.Names)}.", DefaultValueFactory = _ => "round-robin" };
    private static readonly Option<int> MaxInFlight = new("--max-in-flight") { Description = "Requests at a time; one more is answered 429.", DefaultValueFactory = _ => 4096 };
    private static readonly Option<long> MaxBodyBytes = new("--max-body-bytes") { Description = "Longest request body.", DefaultValueFactory = _ => 64L << 20 };
    private static readonly Option<double> PrefillTimeout = new("--prefill-timeout") { Description = "Seconds until a prefill leg is given up and the decode node does the whole request.", DefaultValueFactory = _ => 300 };
    private static readonly Option<string> Level = new("--log-level") { Description = "trace, debug, information, warning or error.", DefaultValueFactory = _ => "information" };

    private static readonly Option<bool> StopOnStdinClose = new("--stop-on-stdin-close") { Description = "Stop when standard input ends: for programs that start nodes." };

    public static Command Create()
    {
        var command = new FerryCommand("route", "Route requests over prefill and decode nodes (vLLM or ferry serve), handing KV over between them; the answer's header x-ferry-route says what happened.", Examples);
        foreach (var option in (Option[])[Prefill, Decode, Host, Port, Policy, MaxInFlight, MaxBodyBytes, PrefillTimeout, Level, StopOnStdinClose])
        {
            command.Options.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        var options = new RouterOptions
        {
            Prefill = [.. Addresses(result.GetValue(Prefill), "--prefill", errors).Select(address => new NodeSpec(address))],
            Decode = [.. Addresses(result.GetValue(Decode), "--decode", errors).Select(address => new NodeSpec(address))],
            Host = result.GetValue(Host)!,
            Port = result.GetValue(Port),
            Policy = result.GetValue(Policy)!,
            MaxInFlight = result.GetValue(MaxInFlight),
            MaxBodyBytes = result.GetValue(MaxBodyBytes),
            Forwarding = new ForwardingOptions { PrefillTimeout = TimeSpan.FromSeconds(Math.Clamp(result.GetValue(PrefillTimeout), 0, 1e6)) },
        };
        errors.AddRange(RouterOptionsValidator.Validate(options));
        var level = CommandLogging.Parse(result.GetValue(Level)!);
        if (level is null)
        {
            errors.Add($"--log-level is '{result.GetValue(Level)}'; it must be one of trace, debug, information, warning, error.");
        }
        if (errors.Count > 0)
        {
            foreach (var error in errors)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"error: {error}");
            }
            return FerryCommandLine.WrongUsage;
        }
        return await RouteAsync(options, level!.Value, result, cancellationToken);
    }

    private static async Task<int> RouteAsync(RouterOptions options, LogLevel level, ParseResult result, CancellationToken cancellationToken)
    {
        try
        {
            await using var router = await RouterHost.StartAsync(options, TimeProvider.System, logging => CommandLogging.Configure(logging, level), cancellationToken);
            result.InvocationConfiguration.Output.WriteLine($"ferry route: ready on {router.Address.ToString().TrimEnd('/')} ({options.Prefill.Count} prefill, {options.Decode.Count} decode, {options.Policy})");
            await StopSignal.WaitAsync(result.GetValue(StopOnStdinClose), cancellationToken);
            using var grace = new CancellationTokenSource(Grace, TimeProvider.System);
            await router.StopAsync(grace.Token);
            return 0;
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"error: cannot listen on {options.Host}:{options.Port}: {exception.Message} Take another --port.");
            return FerryCommandLine.Failed;
        }
    }

    private static List<Uri> Addresses(string[]? texts, string flag, List<string> errors)
    {
        var addresses = new List<Uri>();
        foreach (var text in texts ?? [])
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address))
            {
                addresses.Add(address);
            }
            else
            {
                errors.Add($"{flag} '{text}' is no URL. Write http://HOST:PORT.");
            }
        }
        return addresses;
    }

    private static Option<string[]> Many(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true };
}
