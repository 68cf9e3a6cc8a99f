using System.Globalization;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>The pod of one process.</summary>
internal static class PodTemplate
{
    private const int FerryUser = 65532;        // "nonroot" of distroless images: any number but 0 would do.
    private const string RdmaResource = "rdma/hca_shared_devices_a"; // Mellanox/k8s-rdma-shared-dev-plugin, its sample configuration.
    private const int ShmGibPerRank = 2;       // vLLM's own manifests give 2 GiB; here that for each rank.

    public static YamlMap Of(DeploymentPlan plan, PlannedNode group, PlannedProcess process)
    {
        var spec = new YamlMap { { "serviceAccountName", "ferry" }, { "automountServiceAccountToken", false } };
        if (plan.Kubernetes.ImagePullSecret is { } pull)
        {
            spec.Add("imagePullSecrets", new YamlList(new YamlMap { { "name", pull } }));
        }
        if (process.Kind == PlannedKind.Engine && plan.EnginesUseHostNetwork)
        {
            spec.Add("hostNetwork", true, "RDMA devices belong to the node's network. Network policies do not hold for such pods.");
            spec.Add("dnsPolicy", "ClusterFirstWithHostNet");
        }
        Placement.Add(spec, plan, group, process);
        if (process.IsFerry)
        {
            spec.Add("securityContext", new YamlMap
            {
                { "runAsNonRoot", true }, { "runAsUser", FerryUser }, { "runAsGroup", FerryUser }, { "fsGroup", FerryUser }, { "seccompProfile", new YamlMap { { "type", "RuntimeDefault" } } },
            });
        }
        spec.Add("terminationGracePeriodSeconds", (int)process.StopsWithin.TotalSeconds);
        spec.Add("containers", new YamlList(Container(plan, process)));
        spec.AddUnlessEmpty("volumes", PodVolumes.Volumes(process));
        return new YamlMap
        {
            {
                "metadata", new YamlMap
                {
                    { "labels", KubernetesLabels.Of(plan, process) },
                    { "annotations", new YamlMap { { "ferry/files", ContentHash.Of(string.Join('\n', process.Files.Select(file => file.Content))) } } },
                }
            },
            { "spec", spec },
        };
    }

    private static YamlMap Container(DeploymentPlan plan, PlannedProcess process)
    {
        var container = new YamlMap { { "name", process.Name }, { "image", process.Image }, { "imagePullPolicy", "IfNotPresent" }, { "command", new YamlList(process.Program) } };
        var args = new YamlList();
        foreach (var argument in process.Arguments)
        {
            for (var i = 0; i < argument.Words.Count; i++)
            {
                args.Add(argument.Words[i], i == 0 ? argument.Comment : null);
            }
        }
        container.Add("args", args);
        container.AddUnlessEmpty("env", Environment(process));
        container.Add("ports", Ports(process));
        container.AddUnlessEmpty("resources", Resources(process));
        AddProbes(container, process.Health);
        container.Add("securityContext", Security(process));
        container.AddUnlessEmpty("volumeMounts", PodVolumes.Mounts(process));
        return container;
    }

    /// <summary>The pod's address and the secrets come first: a value may name only what stands above it.</summary>
    private static YamlList Environment(PlannedProcess process)
    {
        var list = new YamlList();
        var texts = process.Environment.SelectMany(variable => (string[])[variable.Text, variable.Rest]).Concat(process.Arguments.SelectMany(argument => argument.Words));
        if (texts.Any(text => text.Contains("$(POD_IP)", StringComparison.Ordinal)))
        {
            list.Add(new YamlMap { { "name", "POD_IP" }, { "valueFrom", new YamlMap { { "fieldRef", new YamlMap { { "fieldPath", "status.podIP" } } } } } }, "this pod's own address");
        }
        foreach (var secret in process.Secrets)
        {
            list.Add(
                new YamlMap
                {
                    { "name", secret.Variable },
                    { "valueFrom", new YamlMap { { "secretKeyRef", new YamlMap { { "name", secret.KubernetesSecret }, { "key", secret.KubernetesKey } } } } },
                },
                secret.Purpose);
        }
        foreach (var variable in process.Environment.Where(variable => !variable.IsSecretAlone))
        {
            var value = variable.Secret is { } secret ? $"{variable.Text}$({secret.Variable}){variable.Rest}" : variable.Text;
            list.Add(new YamlMap { { "name", variable.Name }, { "value", value } }, variable.Comment);
        }
        return list;
    }

    private static YamlList Ports(PlannedProcess process) =>
        new(process.Ports.Select(port => (YamlNode)new YamlMap { { "name", port.Name }, { "containerPort", port.Number } }));

    private static YamlMap Resources(PlannedProcess process)
    {
        var (requests, limits) = (new YamlMap(), new YamlMap());
        if (process.MemoryNeedBytes is { } need)
        {
            requests.Add("memory", Quantity(need));
        }
        if (process.MemoryBytes is { } most)
        {
            limits.Add("memory", Quantity(most));
        }
        if (process.Hardware.ResourceName is { } name)
        {
            // An extended resource cannot be over-committed: request and limit are one.
            requests.Add(name, $"{process.Hardware.ResourceCount}");
            limits.Add(name, $"{process.Hardware.ResourceCount}");
        }
        if (process.Hardware.UsesRdma)
        {
            requests.Add(RdmaResource, "1", "The RDMA shared device plugin's usual name: it brings /dev/infiniband.");
            limits.Add(RdmaResource, "1");
        }
        var resources = new YamlMap();
        resources.AddUnlessEmpty("requests", requests);
        resources.AddUnlessEmpty("limits", limits);
        return resources;
    }

    public static string Quantity(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(bytes + (1 << 20) - 1) >> 20}Mi");

    private static void AddProbes(YamlMap container, PlannedProbe health)
    {
        const int StartPeriod = 10;
        var port = new YamlMap { { "path", health.Path }, { "port", health.Port } };
        var ready = new YamlMap { { "path", health.ReadyPath }, { "port", health.Port } };
        container.Add("startupProbe", new YamlMap
        {
            { "httpGet", port }, { "periodSeconds", StartPeriod }, { "timeoutSeconds", 5 }, { "failureThreshold", (int)(health.StartsWithin.TotalSeconds / StartPeriod) },
        }, $"At most {health.StartsWithin.TotalSeconds:0} s to start; then the other two take over.");
        container.Add("readinessProbe", new YamlMap { { "httpGet", ready }, { "periodSeconds", 5 }, { "timeoutSeconds", 5 }, { "failureThreshold", 2 } });
        container.Add("livenessProbe", new YamlMap { { "httpGet", port }, { "periodSeconds", 10 }, { "timeoutSeconds", 10 }, { "failureThreshold", 6 } });
    }

    private static YamlMap Security(PlannedProcess process)
    {
        var hardware = process.Hardware;
        var security = new YamlMap { { "allowPrivilegeEscalation", false } };
        var capabilities = new YamlMap();
        if (process.IsFerry)
        {
            security.Add("readOnlyRootFilesystem", true);
            capabilities.Add("drop", new YamlList("ALL"));
        }
        capabilities.AddUnlessEmpty("add", new YamlList(hardware.Capabilities.Select(capability => (YamlNode)capability)));
        security.AddUnlessEmpty("capabilities", capabilities);
        if (hardware.SecurityOptions.Contains("seccomp=unconfined"))
        {
            security.Add("seccompProfile", new YamlMap { { "type", "Unconfined" } }, "ROCm maps memory between processes.");
        }
        return security;
    }

    /// <summary>Shared memory of an engine whose ranks talk through it; null: none is needed.</summary>
    public static string? SharedMemory(PlannedProcess process) =>
        process.Hardware.SharesIpc ? $"{ShmGibPerRank * Math.Max(1, process.Hardware.ResourceCount)}Gi" : null;
}
