using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>What a process's container may see and use, however it is written (docker run, compose, Kubernetes).</summary>
internal sealed record ContainerSettings
{
    /// <summary>The whole description: the command, the service, the container.</summary>
    public required SourceSpan Span { get; init; }

    public SourcedText? Image { get; init; }

    public SourcedText? Name { get; init; }

    /// <summary>Host paths: <c>/dev/kfd</c>, <c>/dev/infiniband/uverbs0</c>.</summary>
    public IReadOnlyList<SourcedText> Devices { get; init; } = [];

    public IReadOnlyList<SourcedText> Groups { get; init; } = [];

    /// <summary>Added capabilities, as written.</summary>
    public IReadOnlyList<SourcedText> Capabilities { get; init; } = [];

    /// <summary>As written: <c>memlock=-1</c>, <c>nofile=1048576:1048576</c>.</summary>
    public IReadOnlyList<SourcedText> Ulimits { get; init; } = [];

    public IReadOnlyList<SourcedText> SecurityOptions { get; init; } = [];

    public IReadOnlyList<VolumeMount> Volumes { get; init; } = [];

    public IReadOnlyList<PortMapping> Ports { get; init; } = [];

    /// <summary><c>host</c>, <c>bridge</c>, a network's name; null: the tool's default. Kubernetes <c>hostNetwork</c> is <c>host</c>.</summary>
    public SourcedText? Network { get; init; }

    public SourcedText? Ipc { get; init; }

    public SourcedText? Pid { get; init; }

    /// <summary>Size of /dev/shm as written; a memory-backed emptyDir there counts (its <c>sizeLimit</c>).</summary>
    public SourcedText? SharedMemory { get; init; }

    public SourcedText? Runtime { get; init; }

    /// <summary><c>--gpus</c>, or a compose device reservation.</summary>
    public SourcedText? Gpus { get; init; }

    public SourcedText? MemoryLimit { get; init; }

    public SourcedText? Entrypoint { get; init; }

    /// <summary>Where <c>--privileged</c> stands; null: not privileged.</summary>
    public SourceSpan? Privileged { get; init; }

    /// <summary>What the container runs, the image's own command left out.</summary>
    public IReadOnlyList<SourcedText> Command { get; init; } = [];

    public bool IsHostNetwork => Network?.Value == "host";

    public bool IsHostIpc => Ipc?.Value == "host";

    /// <summary>A device below a path is passed in, or all are (privileged).</summary>
    public bool HasDevice(string path) => Privileged is not null ||
        Devices.Any(device => device.Value == path || device.Value.StartsWith(path + "/", StringComparison.Ordinal) || device.Value.StartsWith(path + ":", StringComparison.Ordinal)) ||
        Volumes.Any(volume => volume.Target == path && volume.Source.Contains(path, StringComparison.Ordinal));

    /// <summary>A capability is added, all are, or the container is privileged. Without <c>CAP_</c>, any case.</summary>
    public bool HasCapability(string name) => Privileged is not null || Capabilities.Any(capability =>
    {
        var value = capability.Value.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? capability.Value[4..] : capability.Value;
        return value.Equals(name, StringComparison.OrdinalIgnoreCase) || value.Equals("ALL", StringComparison.OrdinalIgnoreCase);
    });

    /// <summary>The soft limit as written behind <c>name=</c>, or null.</summary>
    public string? Ulimit(string name) => Ulimits.Select(limit => limit.Value)
        .Where(value => value.StartsWith(name + "=", StringComparison.Ordinal))
        .Select(value => value[(name.Length + 1)..].Split(':')[0]).LastOrDefault();
}
