using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Kubernetes;

/// <summary>Volumes of a pod: files from ConfigMaps and Secrets, directories of the host, claims, shared memory.</summary>
internal static class PodVolumes
{
    /// <summary>Claim that holds the model where the description names a hub's id and the engine loads from a directory.</summary>
    public const string ModelClaim = "model";

    /// <summary>Directory of the configuration files: one volume, not a file each, so that a change of the ConfigMap reaches the pod.</summary>
    private const string FilesDirectory = "/etc/ferry";

    public static string ConfigMapName(PlannedProcess process) => $"{process.Name}-files";

    /// <summary>Whether the mount is a claim of each pod's own.</summary>
    public static bool IsOwnClaim(PlannedMount mount) => mount.HostPath is null;

    public static YamlList Volumes(PlannedProcess process)
    {
        var volumes = new YamlList();
        if (Sources(process) is { Items.Count: > 0 } sources)
        {
            volumes.Add(new YamlMap { { "name", "files" }, { "projected", new YamlMap { { "sources", sources } } } });
        }
        foreach (var mount in process.Mounts.Where(mount => !IsOwnClaim(mount) && !IsFile(mount)))
        {
            var source = mount switch
            {
                { ConfigFile: { } config } => ("configMap", new YamlMap { { "name", config.Name } }),
                { HostVariable: not null } => ("persistentVolumeClaim", new YamlMap { { "claimName", ModelClaim }, { "readOnly", true } }),
                _ => ("hostPath", new YamlMap { { "path", mount.HostPath! }, { "type", mount.Name == "template" ? "File" : "Directory" } }),
            };
            volumes.Add(new YamlMap { { "name", mount.Name }, { source.Item1, source.Item2 } }, mount.Comment);
        }
        if (PodTemplate.SharedMemory(process) is { } size)
        {
            volumes.Add(new YamlMap { { "name", "shm" }, { "emptyDir", new YamlMap { { "medium", "Memory" }, { "sizeLimit", size } } } }, "ranks talk through it; the default of 64 MiB is too small");
        }
        if (process.IsFerry)
        {
            volumes.Add(new YamlMap { { "name", "tmp" }, { "emptyDir", new YamlMap() } });
        }
        return volumes;
    }

    public static YamlList Mounts(PlannedProcess process)
    {
        var mounts = new YamlList();
        if (Sources(process).Items.Count > 0)
        {
            mounts.Add(new YamlMap { { "name", "files" }, { "mountPath", FilesDirectory }, { "readOnly", true } });
        }
        foreach (var mount in process.Mounts.Where(mount => !IsFile(mount)))
        {
            // A ConfigMap is a directory: the file stands in it under its own name.
            var path = mount.ConfigFile is null ? mount.ContainerPath : mount.ContainerPath[..mount.ContainerPath.LastIndexOf('/')];
            var entry = new YamlMap { { "name", mount.Name }, { "mountPath", path } };
            if (mount.IsReadOnly) { entry.Add("readOnly", true); }
            mounts.Add(entry);
        }
        if (PodTemplate.SharedMemory(process) is not null)
        {
            mounts.Add(new YamlMap { { "name", "shm" }, { "mountPath", "/dev/shm" } });
        }
        if (process.IsFerry)
        {
            mounts.Add(new YamlMap { { "name", "tmp" }, { "mountPath", "/tmp" } });
        }
        return mounts;
    }

    public static YamlList ClaimTemplates(DeploymentPlan plan, PlannedProcess process)
    {
        var claims = new YamlList();
        foreach (var mount in process.Mounts.Where(IsOwnClaim))
        {
            claims.Add(new YamlMap { { "metadata", KubernetesLabels.Metadata(mount.Name) }, { "spec", Claim(plan, "ReadWriteOnce", mount.Bytes) } }, mount.Comment);
        }
        return claims;
    }

    public static YamlMap Claim(DeploymentPlan plan, string accessMode, long bytes)
    {
        var spec = new YamlMap { { "accessModes", new YamlList(accessMode) } };
        if (plan.Kubernetes.StorageClass is { } name) { spec.Add("storageClassName", name); }
        spec.Add("resources", new YamlMap { { "requests", new YamlMap { { "storage", PodTemplate.Quantity(Math.Max(bytes, 1L << 30)) } } } });
        return spec;
    }

    /// <summary>A file that is projected beside the configuration files.</summary>
    private static bool IsFile(PlannedMount mount) => mount.SecretFile is not null;

    private static YamlList Sources(PlannedProcess process)
    {
        var sources = new YamlList();
        if (process.Files.Count > 0)
        {
            sources.Add(new YamlMap { { "configMap", new YamlMap { { "name", ConfigMapName(process) } } } });
        }
        foreach (var mount in process.Mounts.Where(IsFile))
        {
            var (name, key) = mount.SecretFile!.Value;
            sources.Add(new YamlMap
            {
                { "secret", new YamlMap { { "name", name }, { "items", new YamlList(new YamlMap { { "key", key }, { "path", mount.ContainerPath[(FilesDirectory.Length + 1)..] } }) } } },
            }, mount.Comment);
        }
        return sources;
    }
}
