using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>Something mounted into a container.</summary>
/// <param name="Source">Host path, volume name, or the kind of a Kubernetes volume ("emptyDir", "persistentVolumeClaim", "hostPath:/data", "configMap:name").</param>
/// <param name="Target">Path in the container.</param>
/// <param name="IsLasting">Outlives the container: a host path or a named volume, not a tmpfs or an emptyDir.</param>
internal sealed record VolumeMount(string Source, string Target, SourceSpan Span, bool IsLasting)
{
    /// <summary>Whether a path in the container lies on this mount.</summary>
    public bool Holds(string path)
    {
        var target = Target.TrimEnd('/');
        return path == target || path.StartsWith(target + "/", StringComparison.Ordinal);
    }
}
