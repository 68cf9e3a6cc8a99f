using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>Reads the containers of Kubernetes objects of any kind that holds a pod template: Deployment, StatefulSet, Pod, Job, LeaderWorkerSet, …</summary>
/// <param name="objects">ConfigMaps and Secrets of all documents.</param>
internal sealed class KubernetesReader(KubernetesObjects objects)
{
    /// <summary>A pod template lies four levels deep in a LeaderWorkerSet; custom resources go a little deeper.</summary>
    private const int MaxDepth = 10;

    public IEnumerable<ProcessDraft> Read(DataNode document) =>
        document.Find("kind")?.TryString() is "ConfigMap" or "Secret" or "CustomResourceDefinition" ? [] : Visit(document, document, document.Find("metadata"), 0);

    private IEnumerable<ProcessDraft> Visit(DataNode document, DataNode node, DataNode? metadata, int depth)
    {
        if (depth > MaxDepth) { yield break; }
        if (node.Find("containers") is { Kind: DataKind.Array } containers)
        {
            var pod = new KubernetesPod(document, node, metadata);
            // A sidecar is an init container that is always restarted.
            var sidecars = node.Find("initContainers")?.Items.Where(item => item.Find("restartPolicy")?.TryString() == "Always") ?? [];
            foreach (var container in containers.Items.Concat(sidecars).Where(item => item.Kind == DataKind.Object))
            {
                yield return Container(pod, container);
            }
            yield break;
        }
        foreach (var member in node.Members)
        {
            foreach (var draft in Visit(document, member.Value, node.Find("metadata") ?? metadata, depth + 1)) { yield return draft; }
        }
        foreach (var item in node.Items)
        {
            // The items of a List are objects of their own.
            var isObject = item.Find("kind") is not null && item.Find("metadata") is not null;
            foreach (var draft in Visit(isObject ? item : document, item, isObject ? item.Find("metadata") : metadata, depth + 1)) { yield return draft; }
        }
    }

    private ProcessDraft Container(KubernetesPod pod, DataNode container)
    {
        var missing = new List<(string Reference, SourceSpan Span)>();
        var environment = Environment(container, missing);
        var name = container.Find("name")?.Text;
        SourcedText[] command = [.. Texts(container.Find("command"))];
        SourcedText[] arguments = [.. Texts(container.Find("args"))];
        var volumes = new List<VolumeMount>();
        var files = new Dictionary<string, SourcedText>(StringComparer.Ordinal);
        SourcedText? sharedMemory = null;
        foreach (var mount in container.Find("volumeMounts")?.Items ?? [])
        {
            if (mount.Find("mountPath")?.Text.Value is not { } path || mount.Find("name")?.Text.Value is not { } volumeName) { continue; }
            var volume = pod.Volume(volumeName);
            volumes.Add(new VolumeMount(KubernetesPod.Source(volume), path, mount.Span, KubernetesPod.IsLasting(volume)));
            if (path == "/dev/shm" && volume?.Find("emptyDir", "medium")?.TryString() == "Memory")
            {
                sharedMemory = volume.Find("emptyDir", "sizeLimit")?.Text ?? SourcedText.Implied("unlimited", mount.Span);
            }
            AddFiles(volume, path, mount.Find("subPath")?.Text.Value, files, missing);
        }
        return new ProcessDraft
        {
            Name = pod.Containers > 1 && name is not null ? $"{pod.Name.Value}/{name.Value}" : pod.Name.Value,
            Span = container.Span,
            HeadSpan = name?.Span ?? pod.Name.Span,
            Environment = environment,
            Words = [.. command, .. arguments],
            MountedFiles = files,
            Container = Settings(pod, container, volumes, sharedMemory, [.. command, .. arguments]),
            Kubernetes = Facts(pod, container, missing),
        };
    }

    private static ContainerSettings Settings(KubernetesPod pod, DataNode container, List<VolumeMount> volumes, SourcedText? sharedMemory, SourcedText[] command)
    {
        var security = container.Find("securityContext");
        return new ContainerSettings
        {
            Span = container.Span,
            Image = container.Find("image")?.Text,
            Name = container.Find("name")?.Text,
            Devices = [.. volumes.Where(volume => volume.Source.StartsWith("hostPath:/dev/", StringComparison.Ordinal)).Select(volume => SourcedText.Implied(volume.Source["hostPath:".Length..], volume.Span))],
            Groups = [.. Texts(pod.Spec.Find("securityContext", "supplementalGroups"))],
            Capabilities = [.. Texts(security?.Find("capabilities", "add"))],
            Volumes = volumes,
            Ports = [.. Ports(container, pod.IsHostNetwork)],
            Network = pod.IsHostNetwork ? SourcedText.Implied("host", pod.Spec.Member("hostNetwork")!.Value.Span) : null,
            Ipc = pod.Spec.Member("hostIPC") is { Value.IsTrue: true } ipc ? SourcedText.Implied("host", ipc.Value.Span) : null,
            Pid = pod.Spec.Member("hostPID") is { Value.IsTrue: true } pid ? SourcedText.Implied("host", pid.Value.Span) : null,
            SharedMemory = sharedMemory,
            Runtime = pod.Spec.Find("runtimeClassName")?.Text,
            MemoryLimit = container.Find("resources", "limits", "memory")?.Text,
            Privileged = security?.Member("privileged") is { Value.IsTrue: true } privileged ? privileged.Key.Span.To(privileged.Value.Span) : null,
            Command = command,
        };
    }

    private static KubernetesFacts Facts(KubernetesPod pod, DataNode container, List<(string Reference, SourceSpan Span)> missing) => new()
    {
        Kind = pod.Kind,
        Name = pod.Name,
        Namespace = pod.Document.Find("metadata", "namespace")?.Text,
        ContainerSpan = container.Span,
        Replicas = pod.Document.Find("spec", "replicas")?.Text,
        Limits = Pairs(container.Find("resources", "limits")),
        Requests = Pairs(container.Find("resources", "requests")),
        PodLabels = Pairs(pod.Metadata?.Find("labels")),
        NodeSelector = Pairs(pod.Spec.Find("nodeSelector")),
        Probes = [.. Probes(container)],
        TerminationGracePeriodSeconds = pod.Spec.Find("terminationGracePeriodSeconds")?.Text,
        MissingReferences = missing,
    };

    private List<EnvironmentSetting> Environment(DataNode container, List<(string Reference, SourceSpan Span)> missing)
    {
        var settings = new List<EnvironmentSetting>();
        foreach (var source in container.Find("envFrom")?.Items ?? [])
        {
            var prefix = source.Find("prefix")?.Text.Value ?? "";
            AddAll(source.Find("configMapRef"), "ConfigMap", EnvironmentOrigin.ConfigMap, prefix, settings, missing);
            AddAll(source.Find("secretRef"), "Secret", EnvironmentOrigin.KubernetesSecret, prefix, settings, missing);
        }
        foreach (var entry in container.Find("env")?.Items ?? [])
        {
            if (entry.Find("name")?.Text is not { } name) { continue; }
            if (entry.Find("value") is { } value)
            {
                settings.Add(new EnvironmentSetting(name, Known(value.Text), entry.Span, EnvironmentOrigin.Kubernetes));
                continue;
            }
            var from = entry.Find("valueFrom");
            settings.Add(FromKey(name, entry, from?.Find("configMapKeyRef"), "ConfigMap", EnvironmentOrigin.ConfigMap, missing) ??
                FromKey(name, entry, from?.Find("secretKeyRef"), "Secret", EnvironmentOrigin.KubernetesSecret, missing) ??
                new EnvironmentSetting(name, null, entry.Span, EnvironmentOrigin.Kubernetes, from?.Find("fieldRef", "fieldPath") is { } field ? $"the pod's {field.Text.Value}" : "elsewhere"));
        }
        return settings;
    }

    private void AddAll(DataNode? reference, string kind, EnvironmentOrigin origin, string prefix, List<EnvironmentSetting> settings, List<(string Reference, SourceSpan Span)> missing)
    {
        if (reference?.Find("name")?.Text is not { } name) { return; }
        if (objects.Find(kind, name.Value) is not { } members)
        {
            if (reference.Find("optional") is not { IsTrue: true }) { missing.Add(($"{kind} {name.Value}", name.Span)); }
            return;
        }
        foreach (var member in members)
        {
            var key = prefix.Length == 0 ? member.Key : SourcedText.Implied(prefix + member.Key.Value, member.Key.Span);
            settings.Add(new EnvironmentSetting(key, member.Value.Text, member.Key.Span.To(member.Value.Span), origin, $"{kind} {name.Value}"));
        }
    }

    private EnvironmentSetting? FromKey(
        SourcedText name, DataNode entry, DataNode? reference, string kind, EnvironmentOrigin origin, List<(string Reference, SourceSpan Span)> missing)
    {
        if (reference?.Find("name")?.Text is not { } source || reference.Find("key")?.Text is not { } key) { return null; }
        var said = $"{kind} {source.Value}, key {key.Value}";
        if (objects.Find(kind, source.Value) is not { } members)
        {
            if (reference.Find("optional") is not { IsTrue: true }) { missing.Add(($"{kind} {source.Value}", source.Span)); }
            return new EnvironmentSetting(name, null, entry.Span, origin, said);
        }
        return new EnvironmentSetting(name, members.LastOrDefault(member => member.Key.Value == key.Value)?.Value.Text, entry.Span, origin, said);
    }

    private void AddFiles(DataNode? volume, string path, string? subPath, Dictionary<string, SourcedText> files, List<(string Reference, SourceSpan Span)> missing)
    {
        if (volume?.Find("configMap", "name")?.Text is not { } name) { return; }
        if (objects.Find("ConfigMap", name.Value) is not { } members)
        {
            missing.Add(($"ConfigMap {name.Value}", name.Span));
            return;
        }
        foreach (var member in members)
        {
            if (subPath == member.Key.Value) { files[path] = member.Value.Text; }
            else if (subPath is null) { files[$"{path.TrimEnd('/')}/{member.Key.Value}"] = member.Value.Text; }
        }
    }

    private static IEnumerable<PortMapping> Ports(DataNode container, bool isHostNetwork)
    {
        foreach (var port in container.Find("ports")?.Items ?? [])
        {
            if (port.Find("containerPort")?.Text.TryLong() is not { } number) { continue; }
            yield return new PortMapping("", (int?)port.Find("hostPort")?.Text.TryLong() ?? (isHostNetwork ? (int)number : null), (int)number, port.Span);
        }
    }

    private static IEnumerable<KubernetesProbe> Probes(DataNode container)
    {
        foreach (var kind in new[] { "startupProbe", "readinessProbe", "livenessProbe" })
        {
            if (container.Member(kind) is not { } member) { continue; }
            var probe = member.Value;
            yield return new KubernetesProbe(kind, member.Key.Span.To(probe.Span), probe.Find("httpGet", "path")?.Text,
                (probe.Find("httpGet", "port") ?? probe.Find("tcpSocket", "port"))?.Text,
                probe.Find("initialDelaySeconds")?.Text, probe.Find("periodSeconds")?.Text, probe.Find("failureThreshold")?.Text);
        }
    }

    /// <summary><c>$(NAME)</c> is filled in by the kubelet.</summary>
    private static SourcedText Known(SourcedText text)
    {
        if (!text.Value.Contains("$(", StringComparison.Ordinal)) { return text; }
        var offsets = new int[text.Value.Length];
        for (var i = 0; i < offsets.Length; i++) { offsets[i] = text.OffsetAt(i); }
        return new SourcedText(text.Value, text.Span, offsets, hasUnknown: true);
    }

    private static IEnumerable<SourcedText> Texts(DataNode? node) => (node?.Items ?? []).Where(item => item.Kind is not (DataKind.Object or DataKind.Array)).Select(item => Known(item.Text));

    private static (SourcedText Name, SourcedText Value)[] Pairs(DataNode? node) => [.. (node?.Members ?? []).Select(member => (member.Key, member.Value.Text))];
}
