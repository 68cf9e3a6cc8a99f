using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering;

/// <summary>What to render, and for what.</summary>
public sealed record RenderRequest
{
    public required ClusterSpec Spec { get; init; }

    public required RenderTarget Target { get; init; }

    /// <summary>Replaces the engine of every pool: <see cref="EngineKind.Ferry"/> gives the same cluster on CPU nodes.</summary>
    public EngineKind? Engine { get; init; }

    /// <summary>Replaces the description's way of handing KV over.</summary>
    public HandoverKind? Handover { get; init; }
}
