namespace Ferry.Cluster.Rendering;

/// <summary>What the artefacts are for.</summary>
public enum RenderTarget
{
    /// <summary>Bash scripts around <c>docker run</c>, a directory a node.</summary>
    Docker = 1,

    /// <summary>A compose file a node.</summary>
    Compose = 2,

    /// <summary>Manifests that <c>kubectl apply -k</c> takes.</summary>
    Kubernetes = 3,
}
