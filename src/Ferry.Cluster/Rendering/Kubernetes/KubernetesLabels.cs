using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>Labels of objects and pods: Kubernetes' recommended ones.</summary>
internal static class KubernetesLabels
{
    public const string Component = "app.kubernetes.io/component";

    /// <summary>Label of machines, by which the pods of a pool find theirs where the description gives no labels of its own.</summary>
    public const string PoolLabel = "ferry/pool";

    private const string Name = "app.kubernetes.io/name";
    private const string PartOf = "app.kubernetes.io/part-of";

    public static YamlMap Of(DeploymentPlan plan, PlannedProcess process)
    {
        var labels = new YamlMap { { Name, process.Name }, { PartOf, plan.Cluster }, { Component, Of(process.Kind) } };
        foreach (var service in plan.RoleServices.Where(service => process.Role == service.Role || process.Role == PoolRole.Both))
        {
            labels.Add(RoleLabel(service), "true");
        }
        return labels;
    }

    /// <summary>What the cluster's objects have in common, and nothing more.</summary>
    public static YamlMap Of(DeploymentPlan plan) => new() { { PartOf, plan.Cluster } };

    /// <summary>Selects the pods of every pool of a role.</summary>
    public static YamlMap Selector(DeploymentPlan plan, RoleService service) => new() { { PartOf, plan.Cluster }, { RoleLabel(service), "true" } };

    private static string RoleLabel(RoleService service) => $"ferry/{service.Name}";

    /// <summary>What selects the pods of one process; never changes, since a workload's selector cannot.</summary>
    public static YamlMap Selector(DeploymentPlan plan, PlannedProcess process) => Selector(plan, process.Name);

    /// <summary>As the other, by the process' name.</summary>
    public static YamlMap Selector(DeploymentPlan plan, string process) => new() { { Name, process }, { PartOf, plan.Cluster } };

    public static YamlMap Selector(DeploymentPlan plan, PlannedKind kind) => new() { { PartOf, plan.Cluster }, { Component, Of(kind) } };

    public static string Of(PlannedKind kind) => kind.ToString().ToLowerInvariant();

    public static YamlMap Metadata(string name, YamlMap? labels = null)
    {
        var metadata = new YamlMap { { "name", name } };
        if (labels is not null) { metadata.Add("labels", labels); }
        return metadata;
    }
}
