using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Starter;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry init</c>: a first ferry.yaml, from flags or from answers.</summary>
internal static class InitCommand
{
    /// <summary>Prints the file instead of writing one.</summary>
    private const string StandardOutput = "-";

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "File to write; '-' prints it.", DefaultValueFactory = _ => "ferry.yaml" };
        var force = new Option<bool>("--force") { Description = "Replace the file if it is there." };
        var defaults = new Option<bool>("--yes", "-y") { Description = "Ask nothing: what no flag says has its default." };
        var flags = new InitFlags();
        var command = new FerryCommand(
            "init", "Write a first ferry.yaml, with comments: asks on a terminal, takes flags elsewhere.",
            new CommandExample("ferry init", "asks what it needs"),
            new CommandExample("ferry init --yes", "MI300X prefills, Gaudi3 decodes, hand-over only"),
            new CommandExample("ferry init --yes --storage s3 --s3-endpoint https://s3.ceph.example --s3-bucket kv-cache", "the same with a bucket that all nodes share"),
            new CommandExample("ferry init --yes --engine ferry --prefill 10.0.0.1 --decode 10.0.0.2 --decode 10.0.0.3", "Ferry's own engine on three CPU machines"))
        {
            file, force, defaults,
        };
        flags.AddTo(command);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            var output = parsed.InvocationConfiguration.Output;
            if (path != StandardOutput && Path.Exists(path) && !parsed.GetValue(force))
            {
                throw new UsageException($"{path} is there already; --force replaces it, another FILE leaves it.");
            }
            var console = TerminalConsole.Create(output);
            var asks = !parsed.GetValue(defaults) && console.Profile.Capabilities.Interactive && !Console.IsInputRedirected && path != StandardOutput;
            var answers = flags.Read(parsed, asks ? new InitQuestions(console) : null);
            return Write(Checked(answers), path, output, parsed.InvocationConfiguration.Error);
        });
        return command;
    }

    /// <summary>The text, once the reader has taken it: an address or a name that no ferry.yaml may have is refused before it stands in a file.</summary>
    private static string Checked(StarterAnswers answers)
    {
        var text = StarterFile.Write(answers);
        var reading = ClusterSpecFile.Read(text, "ferry.yaml");
        return reading.Errors.Count == 0 ? text : throw new UsageException(string.Join(Environment.NewLine, reading.Errors.Select(error => error.Text)));
    }

    private static int Write(string text, string path, TextWriter output, TextWriter error)
    {
        if (path == StandardOutput)
        {
            output.Write(text);
            return FerryCommandLine.Done;
        }
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"ferry init: {path} cannot be written: {exception.Message}");
            return FerryCommandLine.Failed;
        }
        output.WriteLine($"{path} is written. Next: fill in what stands in <angle brackets>, then");
        output.WriteLine($"  ferry lint {path}");
        output.WriteLine($"  ferry plan -f {path}");
        output.WriteLine($"  ferry render docker -f {path} -o out");
        return FerryCommandLine.Done;
    }
}
