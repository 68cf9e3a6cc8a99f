using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Spec;
using Ferry.Kv.Settings;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry render</c>: scripts, compose files or manifests from ferry.yaml.</summary>
internal static class RenderCommand
{
    public static Command Create()
    {
        var target = new Argument<string>("TARGET") { Description = "docker, compose or kubernetes." };
        var file = new Option<string>("--file", "-f") { Description = "The cluster's description.", DefaultValueFactory = _ => "ferry.yaml", HelpName = "FILE" };
        var directory = new Option<string>("--output", "-o") { Description = "Directory to write.", HelpName = "DIR", Required = true };
        var engine = new Option<string?>("--engine") { Description = "vllm or ferry, in place of every pool's own: ferry gives the same cluster on CPU machines.", HelpName = "ENGINE" };
        var handover = new Option<string?>("--handover") { Description = "ferry, nixl or lmcache-pd, in place of the description's.", HelpName = "WAY" };
        var force = new Option<bool>("--force") { Description = "Write into a directory that is not empty: what an earlier run wrote there is replaced, other files stay." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be written, and write nothing." };
        var command = new FerryCommand(
            "render", "Write what starts a cluster: docker scripts, compose files or Kubernetes manifests, from ferry.yaml.",
            new CommandExample("ferry render docker -f ferry.yaml -o out", "A directory a machine, with up.sh, down.sh and status.sh"),
            new CommandExample("ferry render compose -f ferry.yaml -o out", "A compose file a machine"),
            new CommandExample("ferry render kubernetes -f ferry.yaml -o out && kubectl apply -k out", "Manifests with a kustomization"),
            new CommandExample("ferry render docker -f ferry.yaml -o out --engine ferry", "The same cluster on CPU machines, with Ferry's own engine"))
        {
            target, file, directory, engine, handover, force, dryRun,
        };
        command.SetAction(parsed =>
        {
            var console = parsed.InvocationConfiguration;
            var asked = (Target: Choice<RenderTarget>("TARGET", parsed.GetValue(target)!), Engine: OptionalChoice<EngineKind>("--engine", parsed.GetValue(engine)), Handover: OptionalChoice<HandoverKind>("--handover", parsed.GetValue(handover)));
            if (SpecReport.TryLoad(parsed.GetValue(file)!, console.Error) is not { } spec)
            {
                return FerryCommandLine.WrongUsage;
            }
            var request = new RenderRequest { Spec = spec, Target = asked.Target, Engine = asked.Engine, Handover = asked.Handover };
            return Render(request, parsed.GetValue(file)!, parsed.GetValue(directory)!, parsed.GetValue(force), parsed.GetValue(dryRun), console);
        });
        return command;
    }

    private static int Render(RenderRequest request, string file, string directory, bool replaces, bool isDry, InvocationConfiguration console)
    {
        try
        {
            var rendered = Renderer.Render(request);
            if (!isDry)
            {
                OutputDirectory.Write(directory, rendered.Files, replaces);
            }
            foreach (var warning in rendered.Warnings)
            {
                console.Error.WriteLine($"warning: {warning}");
            }
            Report(rendered, request, directory, isDry, console.Output);
            return FerryCommandLine.Done;
        }
        catch (RenderException exception)
        {
            foreach (var error in exception.Errors)
            {
                console.Error.WriteLine($"{file}: {error}");
            }
            return FerryCommandLine.WrongUsage;
        }
        catch (RenderOutputException exception)
        {
            console.Error.WriteLine($"ferry render: {exception.Message}");
            return FerryCommandLine.Failed;
        }
    }

    private static void Report(RenderedCluster rendered, RenderRequest request, string directory, bool isDry, TextWriter output)
    {
        output.WriteLine($"{directory}: {rendered.Files.Count} files{(isDry ? " would be written" : "")}");
        foreach (var one in rendered.Files)
        {
            output.WriteLine($"  {one.Path}");
        }
        if (rendered.Placeholders.Count > 0)
        {
            output.WriteLine($"Fill in: {string.Join(", ", rendered.Placeholders)}");
        }
        if (rendered.Variables.Count > 0)
        {
            output.WriteLine($"Export before the start: {string.Join(", ", rendered.Variables)}");
        }
        output.WriteLine(request.Target == RenderTarget.Kubernetes ? $"Then: kubectl apply -k {directory}" : $"Then, machine by machine, as {directory}/README.md says.");
    }

    private static T? OptionalChoice<T>(string name, string? word) where T : struct, Enum => word is null ? null : Choice<T>(name, word);

    private static T Choice<T>(string name, string word) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == word) { return value; }
        }
        string[] names = [.. Enum.GetValues<T>().Select(NameOf)];
        throw new UsageException($"{name} is '{word}'; it must be one of {string.Join(", ", names)}.{NameHint.Of(word, names)}");
    }

    private static string NameOf<T>(T value) where T : struct, Enum => value is RenderTarget ? value.ToString().ToLowerInvariant() : SpecNames.Of(value);
}
