using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>Manifests for <c>kubectl apply -k</c>: a file a group, one for what they share, and a kustomization that names them.</summary>
internal static class KubernetesManifests
{
    public static IEnumerable<RenderedFile> Of(DeploymentPlan plan)
    {
        var files = new List<RenderedFile> { Shared(plan) };
        foreach (var group in plan.Nodes)
        {
            files.Add(Document($"{group.Name}.yaml", $"{group.Name}: {group.Processes[0].Purpose}.", group.Processes.SelectMany(process => Objects(plan, group, process))));
        }
        if (plan.Kubernetes.Monitoring)
        {
            files.Add(Document("monitoring.yaml", "For the Prometheus operator. Without it: kubernetes.monitoring: false.", plan.Processes.Where(process => process.MetricsPort > 0).Select(process => ServiceMonitor(plan, process))));
        }
        var kustomization = new YamlMap
        {
            { "apiVersion", "kustomize.config.k8s.io/v1beta1" },
            { "kind", "Kustomization" },
            { "namespace", Namespace(plan) },
            { "resources", new YamlList(files.Select(file => (YamlNode)file.Path)) },
        };
        if (BesideFiles(plan) is { Count: > 0 } beside)
        {
            var generators = beside.Select(file => (YamlNode)new YamlMap { { "name", file.Name }, { "files", new YamlList([(YamlNode)file.Key]) }, { "options", new YamlMap { { "disableNameSuffixHash", true } } } });
            kustomization.Add("configMapGenerator", new YamlList(generators), "Made of files that you put beside this one.");
        }
        files.Add(new RenderedFile("kustomization.yaml", YamlPrinter.Print(kustomization, $"Cluster {plan.Cluster}. Written by ferry render from ferry.yaml: change that file and render again.\nkubectl apply -k .")));
        return files;
    }

    /// <summary>ConfigMaps of files that nobody but the user has.</summary>
    public static IReadOnlyList<(string Name, string Key)> BesideFiles(DeploymentPlan plan) =>
        [.. plan.Processes.SelectMany(process => process.Mounts).Select(mount => mount.ConfigFile).OfType<(string Name, string Key)>().Distinct()];

    public static string Namespace(DeploymentPlan plan) => plan.Kubernetes.Namespace ?? plan.Cluster;

    private static RenderedFile Document(string path, string comment, IEnumerable<YamlMap> objects) =>
        new(path, string.Join("---\n", objects.Select((one, index) => YamlPrinter.Print(one, index == 0 ? comment : null))));

    private static RenderedFile Shared(DeploymentPlan plan)
    {
        var objects = new List<YamlMap>
        {
            new()
            {
                { "apiVersion", "v1" },
                { "kind", "Namespace" },
                { "metadata", KubernetesLabels.Metadata(Namespace(plan)) },
            },
            new()
            {
                { "apiVersion", "v1" },
                { "kind", "ServiceAccount" },
                { "metadata", KubernetesLabels.Metadata("ferry") },
                { "automountServiceAccountToken", false },
            },
            NetworkPolicies.DenyAll(),
        };
        if (plan.Processes.SelectMany(process => process.Mounts).FirstOrDefault(mount => mount.HostVariable is not null) is { } model)
        {
            objects.Add(new YamlMap
            {
                { "apiVersion", "v1" },
                { "kind", "PersistentVolumeClaim" },
                { "metadata", KubernetesLabels.Metadata(PodVolumes.ModelClaim) },
                { "spec", PodVolumes.Claim(plan, "ReadWriteMany", model.Bytes + (model.Bytes / 10)), "Put the model's files there first: " + model.Comment + "." },
            });
        }
        foreach (var service in plan.RoleServices)
        {
            objects.Add(new YamlMap
            {
                { "apiVersion", "v1" },
                { "kind", "Service" },
                { "metadata", KubernetesLabels.Metadata(service.Name) },
                {
                    "spec", new YamlMap
                    {
                        { "clusterIP", "None" },
                        { "selector", KubernetesLabels.Selector(plan, service) },
                        { "ports", new YamlList(new YamlMap { { "name", "http" }, { "port", service.Port }, { "targetPort", "http" } }) },
                    }
                },
            });
        }
        return Document("cluster.yaml", "What all of it shares: the namespace, an account without rights, and a policy that lets nobody in.", objects);
    }

    private static IEnumerable<YamlMap> Objects(DeploymentPlan plan, PlannedNode group, PlannedProcess process)
    {
        if (process.Files.Count > 0)
        {
            var data = new YamlMap();
            foreach (var file in process.Files) { data.Add(file.Name, YamlScalar.Lines(file.Content)); }
            yield return new YamlMap
            {
                { "apiVersion", "v1" },
                { "kind", "ConfigMap" },
                { "metadata", KubernetesLabels.Metadata(PodVolumes.ConfigMapName(process), KubernetesLabels.Of(plan, process)) },
                { "data", data },
            };
        }
        yield return Service(plan, process);
        if (process.Kind == PlannedKind.Exchange)
        {
            yield return PodNames(plan, process);
        }
        yield return process.Kind == PlannedKind.Router ? Deployment(plan, group, process) : StatefulSet(plan, group, process);
        yield return new YamlMap
        {
            { "apiVersion", "policy/v1" },
            { "kind", "PodDisruptionBudget" },
            { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
            {
                "spec", new YamlMap
                {
                    // minAvailable would never let the machine of a single pod be drained.
                    { "maxUnavailable", 1 },
                    { "unhealthyPodEvictionPolicy", "AlwaysAllow" },
                    { "selector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, process) } } },
                }
            },
        };
        yield return NetworkPolicies.Of(plan, process);
    }

    private static YamlMap Service(DeploymentPlan plan, PlannedProcess process)
    {
        var spec = new YamlMap();
        if (process.Kind == PlannedKind.Engine)
        {
            spec.Add("clusterIP", "None", "Headless: the router wants every pod's own address.");
        }
        if (process.Kind == PlannedKind.Exchange)
        {
            spec.Add("internalTrafficPolicy", "Local", "An engine reaches the exchange of its own machine, and no other.");
        }
        spec.Add("selector", KubernetesLabels.Selector(plan, process));
        spec.Add("ports", new YamlList(process.Ports.Select(port => (YamlNode)new YamlMap { { "name", port.Name }, { "port", port.Number }, { "targetPort", port.Name } })));
        return new YamlMap
        {
            { "apiVersion", "v1" },
            { "kind", "Service" },
            { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
            { "spec", spec },
        };
    }

    /// <summary>Exchanges name each other, and a StatefulSet names its pods by a headless Service.</summary>
    private static YamlMap PodNames(DeploymentPlan plan, PlannedProcess process) => new()
    {
        { "apiVersion", "v1" },
        { "kind", "Service" },
        { "metadata", KubernetesLabels.Metadata(ExchangeSite.PodsOf(process.Name), KubernetesLabels.Of(plan)) },   // Without the process' own: the Service above is the one that is monitored.
        {
            "spec", new YamlMap
            {
                { "clusterIP", "None", "Headless: it gives each pod a name, by which the other exchanges ask it." },
                { "selector", KubernetesLabels.Selector(plan, process) },
                { "ports", new YamlList(new YamlMap { { "name", "resp" }, { "port", process.Ports[0].Number }, { "targetPort", "resp" } }) },
            }
        },
    };

    private static YamlMap Deployment(DeploymentPlan plan, PlannedNode group, PlannedProcess process) => new()
    {
        { "apiVersion", "apps/v1" },
        { "kind", "Deployment" },
        { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
        {
            "spec", new YamlMap
            {
                { "replicas", group.Replicas },
                { "selector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, process) } } },
                { "strategy", new YamlMap { { "type", "RollingUpdate" }, { "rollingUpdate", new YamlMap { { "maxUnavailable", 0 }, { "maxSurge", 1 } } } } },
                { "template", PodTemplate.Of(plan, group, process) },
            }
        },
    };

    private static YamlMap StatefulSet(DeploymentPlan plan, PlannedNode group, PlannedProcess process)
    {
        var spec = new YamlMap
        {
            { "serviceName", process.Kind == PlannedKind.Exchange ? ExchangeSite.PodsOf(process.Name) : process.Name },
            { "replicas", group.Replicas },
            { "podManagementPolicy", "Parallel" },
            { "selector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, process) } } },
            { "template", PodTemplate.Of(plan, group, process) },
        };
        spec.AddUnlessEmpty("volumeClaimTemplates", PodVolumes.ClaimTemplates(plan, process));
        return new YamlMap
        {
            { "apiVersion", "apps/v1" },
            { "kind", "StatefulSet" },
            { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
            { "spec", spec },
        };
    }

    private static YamlMap ServiceMonitor(DeploymentPlan plan, PlannedProcess process)
    {
        var endpoint = new YamlMap { { "port", process.Ports.First(port => port.Number == process.MetricsPort).Name }, { "path", "/metrics" }, { "interval", "15s" } };
        if (process.MetricsToken is { } token)
        {
            endpoint.Add("authorization", new YamlMap { { "type", "Bearer" }, { "credentials", new YamlMap { { "name", token.KubernetesSecret }, { "key", token.KubernetesKey } } } });
        }
        return new YamlMap
        {
            { "apiVersion", "monitoring.coreos.com/v1" },
            { "kind", "ServiceMonitor" },
            { "metadata", KubernetesLabels.Metadata(process.Name, KubernetesLabels.Of(plan, process)) },
            { "spec", new YamlMap { { "selector", new YamlMap { { "matchLabels", KubernetesLabels.Selector(plan, process) } } }, { "endpoints", new YamlList(endpoint) } } },
        };
    }
}
