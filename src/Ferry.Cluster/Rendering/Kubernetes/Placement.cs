using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>Which machines the pods of a group may run on.</summary>
internal static class Placement
{
    public static void Add(YamlMap spec, DeploymentPlan plan, PlannedNode group, PlannedProcess process)
    {
        var selector = Common(group);
        var terms = Terms(group, selector);
        if (selector.Count > 0)
        {
            spec.Add("nodeSelector", Map(selector));
        }
        else if (LabelCommandOf(group) is { } command)
        {
            spec.Add("nodeSelector", Map(new Dictionary<string, string> { [KubernetesLabels.PoolLabel] = group.Pool! }), $"Label the machines once: {command}");
        }
        var affinity = new YamlMap();
        if (terms.Items.Count > 0)
        {
            affinity.Add("nodeAffinity", new YamlMap { { "requiredDuringSchedulingIgnoredDuringExecution", new YamlMap { { "nodeSelectorTerms", terms } } } });
        }
        if (process.Beside is { } beside)
        {
            affinity.Add("podAffinity", OnTheMachineOf(plan, beside), "Only where its exchange is: it reaches no other.");
        }
        if (process.Kind != PlannedKind.Router)
        {
            affinity.Add("podAntiAffinity", OnTheMachineOf(plan, process.Name), $"One {KubernetesLabels.Of(process.Kind)} of a pool a machine.");
        }
        spec.AddUnlessEmpty("affinity", affinity);
    }

    private static YamlMap OnTheMachineOf(DeploymentPlan plan, string name) => new()
    {
        {
            "requiredDuringSchedulingIgnoredDuringExecution", new YamlList(new YamlMap
            {
                { "labelSelector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, name) } } },
                { "topologyKey", "kubernetes.io/hostname" },
            })
        },
    };

    /// <summary>How machines get the label that the pods ask for; null when the description has labels of its own.</summary>
    public static string? LabelCommandOf(PlannedNode group) => group.Machines.Count > 0 && group.Machines.Any(machine => machine.Labels.Count == 0)
        ? $"kubectl label node {string.Join(' ', group.Machines.Select(machine => machine.Name))} {KubernetesLabels.PoolLabel}={group.Pool}"
        : null;

    /// <summary>Labels that all machines of the group have alike.</summary>
    private static Dictionary<string, string> Common(PlannedNode group) =>
        group.Machines.Count == 0 ? [] : group.Machines[0].Labels.Where(label => group.Machines.All(machine => machine.Labels.TryGetValue(label.Key, out var value) && value == label.Value))
            .ToDictionary(label => label.Key, label => label.Value);

    /// <summary>One term a machine with the labels that the others do not have: any of the terms suffices.</summary>
    private static YamlList Terms(PlannedNode group, Dictionary<string, string> common)
    {
        var rest = group.Machines.Select(machine => machine.Labels.Where(label => !common.ContainsKey(label.Key)).OrderBy(label => label.Key, StringComparer.Ordinal).ToList()).ToList();
        return rest.Count == 0 || rest.Any(labels => labels.Count == 0)
            ? new YamlList()
            : new YamlList(rest.Select(labels => (YamlNode)new YamlMap
            {
                {
                    "matchExpressions", new YamlList(labels.Select(label => (YamlNode)new YamlMap
                    {
                        { "key", label.Key }, { "operator", "In" }, { "values", new YamlList(label.Value) },
                    }))
                },
            }));
    }

    private static YamlMap Map(Dictionary<string, string> labels)
    {
        var map = new YamlMap();
        foreach (var (key, value) in labels.OrderBy(label => label.Key, StringComparer.Ordinal))
        {
            map.Add(key, value);
        }
        return map;
    }
}
