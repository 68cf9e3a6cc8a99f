using System.CommandLine;
using Ferry.Cli.Client;
using Ferry.Cli.Help;
using Ferry.Cli.Up;
using Ferry.Engine;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry up</c>: the whole system on this machine.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL") { Description = "Directory of a Llama-family model; models/ferry-tiny if left out.", Arity = ArgumentArity.ZeroOrOne };
        var once = new Option<bool>("--once") { Description = "End after the account." };
        var shared = new Option<string?>("--shared") { Description = "Directory of a shared store; a second prefill node then finds there what the first computed." };
        var prefillDevice = Device("--prefill-device", "Shape of the prefill node", DeviceProfile.Mi300x);
        var decodeDevice = Device("--decode-device", "Shape of the decode node", DeviceProfile.Gaudi3);
        var prefillRanks = new Option<int?>("--prefill-tensor-parallel-size") { Description = "Ranks of the prefill node; the device's own number if left out." };
        var decodeRanks = new Option<int?>("--decode-tensor-parallel-size") { Description = "Ranks of the decode node; the device's own number if left out." };
        var port = new Option<int>("--port") { Description = "Port of the router; another is chosen if it is taken.", DefaultValueFactory = _ => 8000 };
        var json = new Option<bool>("--json") { Description = "Print the account as JSON on standard output, and nothing else there." };
        var logs = new Option<string?>("--logs") { Description = "Directory for the nodes' logs; a new one below the temporary directory if left out." };
        var command = new FerryCommand(
            "up", "Start a prefill node, a decode node and a router, and account for a first hand-over.",
            new CommandExample("ferry up", "the model that ships, MI300X shape to Gaudi3 shape; stays up until Ctrl-C"),
            new CommandExample("ferry up --once --json", "the account as JSON, for scripts"),
            new CommandExample("ferry up --shared /tmp/kv", "a shared store, and a second prefill node that finds its chunks there"),
            new CommandExample("ferry up ~/models/SmolLM2-360M-Instruct --decode-device cpu", "a model of your own, another shape"))
        {
            model, once, shared, prefillDevice, decodeDevice, prefillRanks, decodeRanks, port, json, logs,
        };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535)
            {
                result.AddError($"--port is {result.GetValueOrDefault<int>()}; it must lie in 0..65535.");
            }
        });
        UpOptions Options(ParseResult parsed)
        {
            var prefill = Profile(parsed.GetValue(prefillDevice)!);
            var decode = Profile(parsed.GetValue(decodeDevice)!);
            return new UpOptions(
                parsed.GetValue(model) ?? ShippedModel.Find(), prefill, parsed.GetValue(prefillRanks) ?? prefill.TensorParallelSize,
                decode, parsed.GetValue(decodeRanks) ?? decode.TensorParallelSize,
                parsed.GetValue(shared) is { } directory ? Path.GetFullPath(directory) : null, parsed.GetValue(port), parsed.GetValue(once), parsed.GetValue(json),
                parsed.GetValue(logs) ?? Directory.CreateTempSubdirectory("ferry-up-").FullName);
        }
        command.SetAction((parsed, cancellationToken) => RunAsync(() => Options(parsed), parsed.InvocationConfiguration, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Func<UpOptions> readOptions, InvocationConfiguration streams, CancellationToken cancellationToken)
    {
        try
        {
            var options = readOptions();
            // With --json standard output is for the machine; the person's account goes to standard error.
            var console = TerminalConsole.Create(options.Json ? streams.Error : streams.Output);
            return await new UpRunner(options, console, streams.Output, TimeProvider.System).RunAsync(cancellationToken);
        }
        catch (Exception e) when (e is UpException or FerryClientException or IOException or UnauthorizedAccessException)
        {
            await streams.Error.WriteLineAsync($"ferry up: {e.Message}");
            return FerryCommandLine.Failed;
        }
        catch (OperationCanceledException)
        {
            return FerryCommandLine.Interrupted;
        }
    }

    private static Option<string> Device(string name, string description, DeviceProfile profile)
    {
        var option = new Option<string>(name) { Description = $"{description}.", DefaultValueFactory = _ => profile.Name };
        option.AcceptOnlyFromAmong([.. DeviceProfile.All.Select(known => known.Name)]);
        return option;
    }

    private static DeviceProfile Profile(string name) => DeviceProfile.All.Single(profile => profile.Name == name);
}
