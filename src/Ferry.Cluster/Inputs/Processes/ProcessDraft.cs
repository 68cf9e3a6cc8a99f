using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>What a reader of docker, compose, Kubernetes or a script knows of a process before anything is recognised in it.</summary>
internal sealed record ProcessDraft
{
    public required string Name { get; init; }

    public required SourceSpan Span { get; init; }

    public required SourceSpan HeadSpan { get; init; }

    /// <summary>See <see cref="ObservedProcess.Host"/>.</summary>
    public string? Host { get; init; }

    /// <summary>The strongest last.</summary>
    public IReadOnlyList<EnvironmentSetting> Environment { get; init; } = [];

    /// <summary>The command as far as written; empty means the image's own.</summary>
    public required IReadOnlyList<SourcedText> Words { get; init; }

    public ContainerSettings? Container { get; init; }

    public KubernetesFacts? Kubernetes { get; init; }

    /// <summary>Names of files that a ConfigMap or a Secret mounts: path in the container to the text.</summary>
    public IReadOnlyDictionary<string, SourcedText> MountedFiles { get; init; } = new Dictionary<string, SourcedText>();
}
