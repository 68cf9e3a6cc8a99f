using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>What the Kubernetes object of a container says.</summary>
internal sealed record KubernetesFacts
{
    /// <summary><c>Deployment</c>, <c>StatefulSet</c>, <c>Pod</c>, <c>LeaderWorkerSet</c>, <c>Job</c>, …</summary>
    public required string Kind { get; init; }

    /// <summary><c>metadata.name</c>.</summary>
    public required SourcedText Name { get; init; }

    public SourcedText? Namespace { get; init; }

    /// <summary>The container's own part of the document.</summary>
    public required SourceSpan ContainerSpan { get; init; }

    public SourcedText? Replicas { get; init; }

    /// <summary>By resource name (<c>amd.com/gpu</c>, <c>habana.ai/gaudi</c>, <c>memory</c>): what is asked as a limit, else as a request.</summary>
    public IReadOnlyList<(SourcedText Name, SourcedText Value)> Limits { get; init; } = [];

    public IReadOnlyList<(SourcedText Name, SourcedText Value)> Requests { get; init; } = [];

    public IReadOnlyList<(SourcedText Name, SourcedText Value)> PodLabels { get; init; } = [];

    public IReadOnlyList<(SourcedText Name, SourcedText Value)> NodeSelector { get; init; } = [];

    public IReadOnlyList<KubernetesProbe> Probes { get; init; } = [];

    /// <summary>Where <c>terminationGracePeriodSeconds</c> stands, or null.</summary>
    public SourcedText? TerminationGracePeriodSeconds { get; init; }

    /// <summary>References to Secrets and ConfigMaps whose object was not among the files: "Secret s3-credentials".</summary>
    public IReadOnlyList<(string Reference, SourceSpan Span)> MissingReferences { get; init; } = [];

    public SourcedText? Resource(string name)
    {
        foreach (var (key, value) in Limits.Concat(Requests))
        {
            if (key.Value == name) { return value; }
        }
        return null;
    }
}
