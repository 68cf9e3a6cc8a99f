using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Plan;

/// <summary>The processes of a whole cluster, decided: what the writers print and nothing else. Immutable.</summary>
public sealed record DeploymentPlan
{
    /// <summary>Name of the cluster: namespace, prefix of containers and volumes.</summary>
    public required string Cluster { get; init; }

    /// <summary>One paragraph: who hands KV to whom, and how.</summary>
    public required string Summary { get; init; }

    public required IReadOnlyList<PlannedNode> Nodes { get; init; }

    /// <summary>What the user should know before starting this: one sentence or two each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>URL at which clients ask, as seen from their side.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Name of the model as requests give it.</summary>
    public required string ModelName { get; init; }

    /// <summary>Where and how manifests stand.</summary>
    public required KubernetesSpec Kubernetes { get; init; }

    /// <summary>Engines use their node's network in Kubernetes: RDMA carries KV.</summary>
    public required bool EnginesUseHostNetwork { get; init; }

    /// <summary>Names for the pools of a role where there are several.</summary>
    public required IReadOnlyList<RoleService> RoleServices { get; init; }

    public IEnumerable<PlannedProcess> Processes => Nodes.SelectMany(node => node.Processes);

    /// <summary>Every secret once, in the order of first use.</summary>
    public IEnumerable<PlannedSecret> Secrets => Processes.SelectMany(process => process.Secrets).DistinctBy(secret => secret.Variable);
}
