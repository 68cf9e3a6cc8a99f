using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>A YAML document among the inputs (also one in a heredoc or a fenced block), for rules that look beside processes: Secrets, Services, budgets.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Root">Its top mapping.</param>
internal sealed record ObservedDocument(DocumentKind Kind, DataNode Root)
{
    /// <summary><c>kind</c> of a Kubernetes object.</summary>
    public string? KubernetesKind => Kind == DocumentKind.Kubernetes ? Root.Find("kind")?.TryString() : null;

    /// <summary><c>metadata.name</c>.</summary>
    public SourcedText? KubernetesName => Kind == DocumentKind.Kubernetes ? Root.Find("metadata", "name")?.Text : null;
}
