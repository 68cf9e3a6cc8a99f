using System.CommandLine;
using System.Text.Json;
using Ferry.Cli.Help;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;
using Spectre.Console;

namespace Ferry.Cli.Commands.Transport;

/// <summary><c>ferry transport check</c></summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var peer = new Argument<string>("PEER") { Description = "HOST:PORT of a node's side channel" };
        var other = new Option<string?>("--with") { Description = "Side channel of a second node: do the KV layouts of both fit each other?", HelpName = "HOST:PORT" };
        var floor = new Option<double>("--floor") { Description = "The least rate that is good enough, in GB/s", DefaultValueFactory = _ => 0.1, HelpName = "GB/s" };
        var time = new Option<double>("--time") { Description = "Seconds of each measurement", DefaultValueFactory = _ => 1, HelpName = "seconds" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new FerryCommand("check", "Check the way to a node before a hand-over goes it. Exit code 0: ready; 1: something is wrong; 2: wrong usage; 3: not reached.",
            new CommandExample("ferry transport check 10.0.0.1:5600", $"From the decode host to a prefill node, with the secret in {NodeCredentials.SecretVariable}"),
            new CommandExample("ferry transport check 10.0.0.1:5600 --with 10.0.0.2:5600 --floor 2", "Also: do the layouts of the two fit, and is the link fast enough?"))
        { peer, other, floor, time, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var question = new CheckQuestion(
                Endpoint("PEER", result.GetValue(peer)!), result.GetValue(other) is { } second ? Endpoint("--with", second) : null,
                result.GetValue(floor) is >= 0 and <= 10_000 and var least ? least : throw new UsageException($"--floor is {result.GetValue(floor)}; it must lie in 0..10000 GB/s."),
                result.GetValue(time) is > 0 and <= 600 and var seconds ? TimeSpan.FromSeconds(seconds) : throw new UsageException($"--time is {result.GetValue(time)}; it must lie in (0, 600] seconds."),
                NodeCredentials.Read());
            try
            {
                var run = new CheckRun(question);
                var status = await run.RunAsync(cancellationToken);
                Write(run.Steps, status, result.GetValue(json), result.InvocationConfiguration.Output);
                return status;
            }
            catch (Exception exception) when (exception is TransferConfigurationException or InsufficientMemoryException)
            {
                throw new UsageException(exception.Message);
            }
        });
        return command;
    }

    private static string Endpoint(string name, string text) => TcpEndpoint.TryParse(text) is not null
        ? text
        : throw new UsageException($"{name} is '{text}'; write HOST:PORT, for example 10.0.0.1:5600 or [::1]:5600.");

    private static void Write(IReadOnlyList<CheckStep> steps, int status, bool asJson, TextWriter output)
    {
        var verdict = status switch
        {
            FerryCommandLine.Done => "ready",
            CheckRun.NotReached => "not reached",
            _ => "something is wrong",
        };
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(new { verdict, status, steps }, JsonOutput.Format));
            return;
        }
        var console = TerminalConsole.Create(output);
        if (!console.Profile.Capabilities.Interactive)
        {
            console.Profile.Width = int.MaxValue; // Lines of a file or a pipe are not broken.
        }
        foreach (var step in steps)
        {
            var colour = step.Result == CheckStep.Ok ? "green" : step.Result == CheckStep.Skipped ? "yellow" : "red";
            console.MarkupLine($"[{colour}]{step.Result,-7}[/] {Markup.Escape(step.Name)}: {Markup.Escape(step.Found)}");
            if (step.Fix.Length > 0)
            {
                console.MarkupLine($"        {Markup.Escape(step.Fix)}");
            }
        }
        output.WriteLine($"{verdict}.");
    }
}
