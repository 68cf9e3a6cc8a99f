using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>Who may connect to whom: nobody, but for what the plan's ports say.</summary>
internal static class NetworkPolicies
{
    public static YamlMap DenyAll() => new()
    {
        { "apiVersion", "networking.k8s.io/v1" },
        { "kind", "NetworkPolicy" },
        { "metadata", KubernetesLabels.Metadata("deny-ingress") },
        { "spec", new YamlMap { { "podSelector", new YamlMap() }, { "policyTypes", new YamlList("Ingress") } } },
    };

    public static YamlMap Of(DeploymentPlan plan, PlannedProcess process)
    {
        var rules = new YamlList();
        foreach (var port in process.Ports.Where(port => port.Callers != PortCallers.None))
        {
            var rule = new YamlMap();
            var from = From(plan, port.Callers, out var comment);
            if (from is not null) { rule.Add("from", from); }
            rule.Add("ports", new YamlList(new YamlMap { { "protocol", "TCP" }, { "port", port.Number } }));
            rules.Add(rule, $"{port.Name}: {comment}");
        }
        if (process.Kind == PlannedKind.Engine && process.Ports.Any(port => port.Callers.HasFlag(PortCallers.Engines)))
        {
            rules.Add(
                new YamlMap { { "from", new YamlList(Pods(plan, PlannedKind.Engine)) } },
                "KV goes from engine to engine over ports that each side chooses.");
        }
        return new YamlMap
        {
            { "apiVersion", "networking.k8s.io/v1" },
            { "kind", "NetworkPolicy" },
            { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
            {
                "spec", new YamlMap
                {
                    { "podSelector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, process) } } },
                    { "policyTypes", new YamlList("Ingress") },
                    { "ingress", rules },
                }
            },
        };
    }

    /// <returns>Null: from anywhere.</returns>
    private static YamlList? From(DeploymentPlan plan, PortCallers callers, out string comment)
    {
        if (callers.HasFlag(PortCallers.Clients))
        {
            comment = "clients, from anywhere.";
            return null;
        }
        if (callers.HasFlag(PortCallers.Engines) && plan.EnginesUseHostNetwork)
        {
            comment = "engines, which have their nodes' addresses here, so no selector matches them; a password guards the port.";
            return null;
        }
        var (list, names) = (new YamlList(), new List<string>());
        if (callers.HasFlag(PortCallers.Router))
        {
            list.Add(Pods(plan, PlannedKind.Router));
            names.Add("the router");
        }
        if (callers.HasFlag(PortCallers.Engines))
        {
            list.Add(Pods(plan, PlannedKind.Engine));
            names.Add("engines");
        }
        if (callers.HasFlag(PortCallers.Exchanges))
        {
            list.Add(Pods(plan, PlannedKind.Exchange));
            names.Add("other exchanges");
        }
        if (callers.HasFlag(PortCallers.Monitoring))
        {
            list.Add(new YamlMap { { "namespaceSelector", new YamlMap { { "matchLabels", new YamlMap { { "kubernetes.io/metadata.name", "monitoring" } } } } } });
            names.Add("Prometheus, in the namespace monitoring");
        }
        comment = $"{string.Join(", ", names)}.";
        return list;
    }

    private static YamlMap Pods(DeploymentPlan plan, PlannedKind kind) =>
        new() { { "podSelector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, kind) } } } };
}
