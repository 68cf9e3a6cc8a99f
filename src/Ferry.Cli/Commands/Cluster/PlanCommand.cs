using System.CommandLine;
using System.Text.Json;
using Ferry.Cli.Help;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Spec;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry plan</c>: what fits, how long KV travels, what pays and what it costs; with a trace, how the cluster would serve it.</summary>
internal static class PlanCommand
{
    /// <summary>Columns where there is no terminal: no table is broken.</summary>
    private const int PipeWidth = 240;

    public static Command Create()
    {
        var file = new Option<string>("--file", "-f") { Description = "The cluster", DefaultValueFactory = _ => "ferry.yaml", HelpName = "file" };
        var trace = new Option<string?>("--trace") { Description = "JSONL of requests (timestamp in ms, input_length, output_length, hash_ids for each 512 tokens), which a simulation plays", HelpName = "file" };
        var speed = new Option<double>("--speed") { Description = "Play the trace so many times faster than recorded", DefaultValueFactory = _ => 1, HelpName = "x" };
        var seed = new Option<int?>("--seed") { Description = "Seed of what is drawn [default: plan.seed of the file]", HelpName = "n" };
        var chart = new Option<string?>("--chart") { Description = "Draw the figures into a file: .svg or .png", HelpName = "file" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new FerryCommand(
            "plan", "Say what a cluster holds and carries, when loading beats computing, when disaggregation pays, and what a token costs.",
            new CommandExample("ferry plan -f ferry.yaml", "capacity, tiers, hand-over, balance, cost"),
            new CommandExample("ferry plan -f ferry.yaml --trace conversation_trace.jsonl", "the same, and a day's requests played on it"),
            new CommandExample("ferry plan -f ferry.yaml --trace conversation_trace.jsonl --speed 2 --chart plan.svg", "twice the load, drawn"),
            new CommandExample("ferry plan -f ferry.yaml --json", "for programs"))
        {
            file, trace, speed, seed, chart, json,
        };
        command.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            if (parsed.GetValue(trace) is null && (parsed.GetResult(speed) is { Implicit: false } || parsed.GetValue(seed) is not null))
            {
                throw new UsageException("--speed and --seed belong to a simulation; give it a --trace.");
            }
            if (parsed.GetValue(chart) is { } drawing && Path.GetExtension(drawing).ToLowerInvariant() is not (".svg" or ".png"))
            {
                throw new UsageException($"--chart is {drawing}; its name must end with .svg or .png.");
            }
            var spec = SpecReport.TryLoad(parsed.GetValue(file)!, error);
            if (spec is null)
            {
                return FerryCommandLine.WrongUsage;
            }
            try
            {
                var options = new SimulationOptions { Speed = parsed.GetValue(speed), Seed = parsed.GetValue(seed) ?? spec.Plan.Seed };
                var report = PlanReport.Make(spec, parsed.GetValue(trace), options);
                if (parsed.GetValue(chart) is { } path)
                {
                    PlanDrawing.Save(report, path);
                }
                Write(report, spec, parsed.GetValue(json), parsed.GetValue(chart), output);
                return FerryCommandLine.Done;
            }
            catch (Exception exception) when (exception is PlanException or IOException or UnauthorizedAccessException)
            {
                error.WriteLine($"ferry plan: {exception.Message}");
                return FerryCommandLine.Failed;
            }
        });
        return command;
    }

    private static void Write(PlanReport report, ClusterSpec spec, bool asJson, string? chart, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(report, JsonOutput.Format));
            return;
        }
        var console = TerminalConsole.Create(output);
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = PipeWidth;
        }
        new PlanTables(console).Write(report, spec);
        if (chart is not null)
        {
            output.WriteLine($"Drawn: {chart}");
        }
    }
}
