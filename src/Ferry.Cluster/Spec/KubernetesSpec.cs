namespace Ferry.Cluster.Spec;

/// <summary>Where and how manifests are rendered.</summary>
public sealed record KubernetesSpec
{
    [SpecKey("namespace", "Namespace of everything.", Pattern = SpecText.NamePattern, PatternText = SpecText.NameText, DefaultText = "the cluster's name")]
    public string? Namespace { get; init; }

    [SpecKey("storageClass", "Storage class of the disk tiers; left out, the default one.", Pattern = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", PatternText = "the name of a storage class")]
    public string? StorageClass { get; init; }

    [SpecKey("imagePullSecret", "Secret that images are pulled with.", Pattern = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", PatternText = "the name of a Secret")]
    public string? ImagePullSecret { get; init; }

    [SpecKey("hostNetwork", "Engines use the node's network; RDMA needs it unless a device plugin provides ports.")]
    public bool HostNetwork { get; init; } = true;

    [SpecKey("monitoring", "ServiceMonitors for the Prometheus operator are rendered.")]
    public bool Monitoring { get; init; } = true;
}
