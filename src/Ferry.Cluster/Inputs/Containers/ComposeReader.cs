using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>Reads the services of a compose file.</summary>
/// <param name="envFiles">Env files among the inputs: <c>env_file:</c> names them, <c>.env</c> fills in variables.</param>
internal sealed class ComposeReader(EnvFiles envFiles)
{
    public IEnumerable<ProcessDraft> Read(DataNode root)
    {
        foreach (var service in root.Find("services")?.Members ?? [])
        {
            if (service.Value.Kind == DataKind.Object) { yield return Service(service); }
        }
    }

    private ProcessDraft Service(DataMember service)
    {
        var node = service.Value;
        var span = service.Key.Span.To(node.Span);
        SourcedText[] command = [.. Words(node.Find("command"))];
        SourcedText[] entrypoint = [.. Words(node.Find("entrypoint"))];
        var name = Text(node.Find("container_name"));
        return new ProcessDraft
        {
            Name = name?.Value ?? service.Key.Value,
            Span = span,
            HeadSpan = service.Key.Span,
            Environment = [.. EnvFileSettings(node.Find("env_file")), .. Environment(node.Find("environment"))],
            Words = [.. entrypoint, .. command],
            Container = new ContainerSettings
            {
                Span = span,
                Image = Text(node.Find("image")),
                Name = name ?? service.Key,
                Devices = Texts(node.Find("devices")),
                Groups = Texts(node.Find("group_add")),
                Capabilities = Texts(node.Find("cap_add")),
                Ulimits = [.. Ulimits(node.Find("ulimits"))],
                SecurityOptions = Texts(node.Find("security_opt")),
                Volumes = Volumes(node),
                Ports = Ports(node.Find("ports")),
                Network = Text(node.Find("network_mode")),
                Ipc = Text(node.Find("ipc")),
                Pid = Text(node.Find("pid")),
                SharedMemory = Text(node.Find("shm_size")),
                Runtime = Text(node.Find("runtime")),
                Gpus = Text(node.Find("gpus")) ?? NvidiaReservation(node),
                MemoryLimit = Text(node.Find("mem_limit") ?? node.Find("deploy", "resources", "limits", "memory")),
                Entrypoint = entrypoint.FirstOrDefault(),
                Privileged = node.Member("privileged") is { Value.IsTrue: true } privileged ? privileged.Key.Span.To(privileged.Value.Span) : null,
                Command = command,
            },
        };
    }

    /// <summary>A list as it is; a string is split as a shell splits it, without anything a shell would execute.</summary>
    private IEnumerable<SourcedText> Words(DataNode? node)
    {
        if (node is null) { return []; }
        if (node.Kind == DataKind.Array) { return Texts(node); }
        if (node.Text.Value.Length == 0) { return []; }
        var scope = new ShellScope { IsOpen = true };
        var words = new List<SourcedText>();
        foreach (var word in ShellLexer.Read(Interpolate(node.Text), []).SelectMany(statement => statement.Words))
        {
            words.Add(scope.Text(word, null));
        }
        return words;
    }

    private IEnumerable<EnvironmentSetting> Environment(DataNode? node)
    {
        foreach (var member in node?.Members ?? [])
        {
            var value = member.Value.Kind is DataKind.Null ? null : Text(member.Value);
            yield return new EnvironmentSetting(member.Key, value, member.Key.Span.To(member.Value.Span), EnvironmentOrigin.Compose, value is null ? "the environment of compose" : null);
        }
        foreach (var item in node?.Items ?? [])
        {
            var text = Interpolate(item.Text);
            var equals = text.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                yield return new EnvironmentSetting(text.Part(0, equals), text.Part(equals + 1, text.Value.Length - equals - 1), item.Span, EnvironmentOrigin.Compose);
            }
            else if (equals < 0 && text.Value.Length > 0)
            {
                yield return new EnvironmentSetting(text, null, item.Span, EnvironmentOrigin.Compose, "the environment of compose");
            }
        }
    }

    private IEnumerable<EnvironmentSetting> EnvFileSettings(DataNode? node) => node switch
    {
        null => [],
        { Kind: DataKind.Array } => node.Items.SelectMany(item => envFiles.Find((item.Find("path") ?? item).Text.Value)),
        _ => envFiles.Find(node.Text.Value),
    };

    private static IEnumerable<SourcedText> Ulimits(DataNode? node)
    {
        foreach (var member in node?.Members ?? [])
        {
            var soft = member.Value.Find("soft") ?? member.Value;
            yield return SourcedText.Implied($"{member.Key.Value}={soft.Text.Value}", member.Key.Span.To(member.Value.Span));
        }
    }

    private List<VolumeMount> Volumes(DataNode service)
    {
        var volumes = new List<VolumeMount>();
        foreach (var item in service.Find("volumes")?.Items ?? [])
        {
            if (item.Kind == DataKind.Object)
            {
                var type = item.Find("type")?.Text.Value ?? "volume";
                var source = item.Find("source") is { } from ? Interpolate(from.Text).Value : "";
                if (item.Find("target")?.Text.Value is { } target) { volumes.Add(new VolumeMount(source.Length > 0 ? source : type, target, item.Span, type != "tmpfs" && source.Length > 0)); }
                continue;
            }
            ContainerValues.AddVolume(volumes, Interpolate(item.Text), item.Span);
        }
        foreach (var item in service.Find("tmpfs") is { Kind: DataKind.Array } list ? list.Items : service.Find("tmpfs") is { } one ? [one] : [])
        {
            volumes.Add(new VolumeMount("tmpfs", item.Text.Value.Split(':')[0], item.Span, false));
        }
        return volumes;
    }

    private List<PortMapping> Ports(DataNode? node)
    {
        var ports = new List<PortMapping>();
        foreach (var item in node?.Items ?? [])
        {
            if (item.Kind == DataKind.Object)
            {
                if (item.Find("target")?.Text.TryLong() is { } target)
                {
                    ports.Add(new PortMapping(item.Find("host_ip")?.Text.Value ?? "", (int?)item.Find("published")?.Text.TryLong(), (int)target, item.Span));
                }
                continue;
            }
            ContainerValues.AddPort(ports, Interpolate(item.Text), item.Span);
        }
        return ports;
    }

    private static SourcedText? NvidiaReservation(DataNode service) =>
        service.Find("deploy", "resources", "reservations", "devices")?.Items.Select(item => item.Find("driver")).FirstOrDefault(driver => driver?.Text.Value == "nvidia")?.Text;

    private SourcedText[] Texts(DataNode? node) => node is null ? [] : node.Kind == DataKind.Array
        ? [.. node.Items.Where(item => item.Kind is not (DataKind.Object or DataKind.Array)).Select(item => Interpolate(item.Text))]
        : [Interpolate(node.Text)];

    private SourcedText? Text(DataNode? node) => node is null or { Kind: DataKind.Object or DataKind.Array or DataKind.Null } ? null : Interpolate(node.Text);

    private SourcedText Interpolate(SourcedText text) => ComposeInterpolation.Apply(text, envFiles);
}
