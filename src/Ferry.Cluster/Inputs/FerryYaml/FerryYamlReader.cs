using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Lint.Rules.Files;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Cluster.Sources;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Inputs.FerryYaml;

/// <summary>Reads ferry.yaml into the processes that <c>ferry render</c> would start, each setting at the place that it follows from.</summary>
internal static class FerryYamlReader
{
    /// <param name="text">One whole document.</param>
    /// <param name="path">The file's, for its errors.</param>
    /// <param name="defects">Takes what is wrong with the description itself.</param>
    public static IReadOnlyList<ProcessDraft> Read(SourcedText text, string path, List<SourceDefect> defects)
    {
        var reading = ClusterSpecFile.Read(text.Value, path);
        var places = new FerryYamlPlaces(text, reading.Source);
        foreach (var error in reading.Errors)
        {
            defects.Add(new SourceDefect(InvalidFerryYaml.Id, places.At(error.Line, error.Column), error.Text));
        }
        if (reading.Spec is not { } spec) { return []; }
        if (Plan(spec, out var errors) is not { } plan)
        {
            foreach (var error in errors)
            {
                defects.Add(new SourceDefect(FerryYamlWarning.Id, places.OfWarning(error, spec), error));
            }
            return [];
        }
        foreach (var warning in plan.Warnings)
        {
            defects.Add(new SourceDefect(FerryYamlWarning.Id, places.OfWarning(warning, spec), warning));
        }
        return [.. plan.Nodes.SelectMany(node => node.Processes.Select(process => Draft(node, process, places.Of(node, process, spec))))];
    }

    /// <summary>The plan for Docker; for Kubernetes where the description is one for that alone. Null with the reasons of both.</summary>
    private static DeploymentPlan? Plan(ClusterSpec spec, out IReadOnlyList<string> errors)
    {
        var reasons = new List<string>();
        foreach (var target in new[] { RenderTarget.Docker, RenderTarget.Kubernetes })
        {
            try
            {
                errors = [];
                return ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = target });
            }
            catch (RenderException exception)
            {
                reasons.AddRange(exception.Errors.Select(error => $"It cannot be rendered for {target}, so its processes are not checked: {error}"));
            }
        }
        errors = reasons;
        return null;
    }

    private static ProcessDraft Draft(PlannedNode node, PlannedProcess process, ProcessPlaces places) => new()
    {
        Name = process.Name,
        Span = places.Whole,
        HeadSpan = places.Head,
        Host = node.Address,
        Environment = [.. process.Environment.Select(variable => Setting(variable, places))],
        Words = Words(process, places),
        Container = Container(process, places),
    };

    private static EnvironmentSetting Setting(PlannedVariable variable, ProcessPlaces places)
    {
        var span = places.OfVariable(variable.Name);
        return new EnvironmentSetting(SourcedText.Implied(variable.Name, span), variable.Secret is null ? SourcedText.Implied(variable.Text, span) : null, span,
            EnvironmentOrigin.FerryYaml, variable.Secret is null ? null : "a secret by reference");
    }

    private static List<SourcedText> Words(PlannedProcess process, ProcessPlaces places)
    {
        List<SourcedText> words = [SourcedText.Implied(process.Program, places.Head)];
        foreach (var argument in process.Arguments)
        {
            var span = places.OfArgument(argument.Words);
            words.AddRange(argument.Words.Select(word => SourcedText.Implied(word, span)));
        }
        return words;
    }

    private static ContainerSettings Container(PlannedProcess process, ProcessPlaces places)
    {
        var hardware = process.Hardware;
        return new ContainerSettings
        {
            Span = places.Whole,
            Image = Here(process.Image),
            Name = Here(process.Name),
            Devices = [.. hardware.Devices.Select(Here)],
            Groups = [.. hardware.Groups.Select(Here)],
            Capabilities = [.. hardware.Capabilities.Select(Here)],
            SecurityOptions = [.. hardware.SecurityOptions.Select(Here)],
            Ulimits = hardware.LocksMemory ? [Here("memlock=-1")] : [],
            Ipc = hardware.SharesIpc ? Here("host") : null,
            Runtime = hardware.Runtime is { } runtime ? Here(runtime) : null,
            Network = Here("host"),
            Volumes = [.. process.Mounts.Select(mount => new VolumeMount(mount.HostPath ?? mount.Name, mount.ContainerPath, places.Head, true)),
                .. process.Files.Select(file => new VolumeMount($"./{file.Name}", file.ContainerPath, places.Head, true))],
            MemoryLimit = process.MemoryBytes is { } bytes ? Here($"{bytes}") : null,
        };

        SourcedText Here(string value) => SourcedText.Implied(value, places.Head);
    }
}
