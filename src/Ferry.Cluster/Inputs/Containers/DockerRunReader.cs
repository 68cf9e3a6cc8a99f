using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Lint.Rules.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>Reads <c>docker run</c> (and podman's and nerdctl's) into a process.</summary>
/// <param name="envFiles">Env files among the inputs, by name.</param>
internal sealed class DockerRunReader(EnvFiles envFiles)
{
    private readonly List<EnvironmentSetting> _environment = [];
    private readonly List<SourcedText> _devices = [];
    private readonly List<SourcedText> _groups = [];
    private readonly List<SourcedText> _capabilities = [];
    private readonly List<SourcedText> _ulimits = [];
    private readonly List<SourcedText> _security = [];
    private readonly List<VolumeMount> _volumes = [];
    private readonly List<PortMapping> _ports = [];
    private readonly Dictionary<string, SourcedText> _single = new(StringComparer.Ordinal);
    private SourceSpan? _privileged;

    /// <summary>Whether a command starts a container.</summary>
    public static int ArgumentsAt(IReadOnlyList<SourcedText> words)
    {
        if (words.Count < 2 || Path.GetFileName(words[0].Value) is not ("docker" or "podman" or "nerdctl")) { return -1; }
        var at = words[1].Value == "container" ? 2 : 1;
        return at < words.Count && words[at].Value is "run" or "create" ? at + 1 : -1;
    }

    /// <summary>The process of a command whose options begin at <paramref name="from"/>.</summary>
    public ProcessDraft Read(ShellCommand command, int from, List<SourceDefect> defects)
    {
        var words = command.Words;
        var image = DockerOptions.FindImage([.. words.Select(word => word.Value)], from);
        for (var i = from; i < (image < 0 ? words.Count : image); i++)
        {
            var word = words[i];
            if (word.Value.Length < 2 || word.Value[0] != '-') { continue; }
            var (name, valueAt) = DockerOptions.Split(word.Value);
            var flag = word.Span;
            SourcedText? value = null;
            if (valueAt >= 0)
            {
                value = word.Part(valueAt, word.Value.Length - valueAt);
            }
            else if (DockerOptions.TakesNext(word.Value) && i + 1 < words.Count)
            {
                value = words[++i];
            }
            Take(name, value, value is null ? flag : flag.To(value.Span), command, defects);
        }
        var head = words[0].Span.To(words[from - 1].Span);
        if (image < 0)
        {
            defects.Add(new SourceDefect(NoImage.Id, head, ""));
        }
        SourcedText[] rest = image < 0 ? [] : [.. words.Skip(image + 1)];
        ReportMisplaced(rest, defects);
        var container = Container(command.Span, image < 0 ? null : words[image], rest);
        return new ProcessDraft
        {
            Name = container.Name?.Value ?? container.Image?.Value ?? "container",
            Span = command.Span,
            HeadSpan = container.Name?.Span ?? head,
            Environment = _environment,
            Container = container,
            Words = container.Entrypoint is { Value.Length: > 0 } entrypoint ? [entrypoint, .. rest] : rest,
        };
    }

    private static void ReportMisplaced(SourcedText[] rest, List<SourceDefect> defects)
    {
        // Behind the image the words belong to the program in the container; these are options of docker that no engine has.
        foreach (var word in rest.TakeWhile(word => word.Value != "-c"))
        {
            if (word.Value is "-e" or "-v" or "--rm" or "--gpus" or "--net" or "--network" or "--ipc" or "--shm-size" || word.Value.StartsWith("--ipc=", StringComparison.Ordinal) ||
                word.Value.StartsWith("--net=", StringComparison.Ordinal) || word.Value.StartsWith("--shm-size=", StringComparison.Ordinal) ||
                word.Value.StartsWith("--ulimit", StringComparison.Ordinal) || word.Value.StartsWith("--cap-add", StringComparison.Ordinal) ||
                word.Value.StartsWith("--device=/dev/", StringComparison.Ordinal) || word.Value.StartsWith("--env=", StringComparison.Ordinal))
            {
                defects.Add(new SourceDefect(DockerOptionBehindImage.Id, word.Span, $"'{word.Value.Split('=')[0]}' is an option of docker."));
            }
        }
    }

    private ContainerSettings Container(SourceSpan span, SourcedText? image, SourcedText[] rest) => new()
    {
        Span = span,
        Image = image,
        Name = _single.GetValueOrDefault("--name"),
        Devices = _devices,
        Groups = _groups,
        Capabilities = _capabilities,
        Ulimits = _ulimits,
        SecurityOptions = _security,
        Volumes = _volumes,
        Ports = _ports,
        Network = _single.GetValueOrDefault("--network"),
        Ipc = _single.GetValueOrDefault("--ipc"),
        Pid = _single.GetValueOrDefault("--pid"),
        SharedMemory = _single.GetValueOrDefault("--shm-size"),
        Runtime = _single.GetValueOrDefault("--runtime"),
        Gpus = _single.GetValueOrDefault("--gpus"),
        MemoryLimit = _single.GetValueOrDefault("--memory"),
        Entrypoint = _single.GetValueOrDefault("--entrypoint"),
        Privileged = _privileged,
        Command = rest,
    };

    private void Take(string name, SourcedText? value, SourceSpan span, ShellCommand command, List<SourceDefect> defects)
    {
        if (name == "--privileged")
        {
            _privileged = value?.Value == "false" ? null : span;
            return;
        }
        if (value is null) { return; }
        switch (name)
        {
            case "--env": TakeEnvironment(value, span, command, defects); break;
            case "--env-file": TakeEnvFile(envFiles.Find(value.Value), defects); break;
            case "--device": _devices.Add(value); break;
            case "--group-add": _groups.Add(value); break;
            case "--cap-add": _capabilities.Add(value); break;
            case "--ulimit": _ulimits.Add(value); break;
            case "--security-opt": _security.Add(value); break;
            case "--volume": ContainerValues.AddVolume(_volumes, value, span); break;
            case "--mount": ContainerValues.AddMount(_volumes, value, span); break;
            case "--tmpfs": _volumes.Add(new VolumeMount("tmpfs", value.Value.Split(':')[0], span, false)); break;
            case "--publish": ContainerValues.AddPort(_ports, value, span); break;
            default: _single[name] = value; break;
        }
    }

    private void TakeEnvFile(IReadOnlyList<EnvironmentSetting> settings, List<SourceDefect> defects)
    {
        _environment.AddRange(settings);
        foreach (var setting in settings)
        {
            if (setting.Value?.TryExact() is not { Offset: > 0 } value || value.End >= value.File.Text.Length) { continue; }
            var quote = value.File.Text[value.Offset - 1];
            if (quote is not ('"' or '\'') || value.File.Text[value.End] != quote) { continue; }
            var quoted = value.File.Span(value.Offset - 1, value.Length + 2);
            defects.Add(new SourceDefect(QuotesInEnvFile.Id, quoted, "", new TextEdit(quoted, value.Text)));
        }
    }

    private void TakeEnvironment(SourcedText value, SourceSpan span, ShellCommand command, List<SourceDefect> defects)
    {
        var equals = value.Value.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
        {
            if (ShellText.LiteralVariable(value) is { } literal)
            {
                defects.Add(new SourceDefect(VariableInSingleQuotes.Id, literal, $"{literal.Text} reaches the container as it stands."));
            }
            _environment.Add(new EnvironmentSetting(value.Part(0, equals), value.Part(equals + 1, value.Value.Length - equals - 1), span, EnvironmentOrigin.DockerFlag));
            return;
        }
        if (equals == 0 || value.Value.Length == 0) { return; }
        // -e NAME: from docker's own environment, so only an exported variable gets through.
        var inherited = command.Environment.LastOrDefault(setting => setting.Name.Value == value.Value);
        if (inherited is null && command.Scope.Variables.TryGetValue(value.Value, out var variable) && variable.Value is not null)
        {
            defects.Add(new SourceDefect(NotExported.Id, value.Span, $"{value.Value} is assigned in line {variable.Span.Line} but not exported.",
                new TextEdit(variable.Span.File.Span(variable.Span.Offset, 0), "export ")));
        }
        _environment.Add(new EnvironmentSetting(value, inherited?.Value, span, EnvironmentOrigin.DockerFlag, "the environment of the shell"));
    }
}
