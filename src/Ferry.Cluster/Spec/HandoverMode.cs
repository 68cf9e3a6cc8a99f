namespace Ferry.Cluster.Spec;

/// <summary>Who moves KV between ferry serve's exchanges, and when.</summary>
public enum HandoverMode
{
    [SpecName("pull", "the decode node reads after the prefill")]
    Pull,

    [SpecName("push", "the prefill node writes each chunk as soon as it is computed")]
    Push,

    [SpecName("push-layerwise", "the prefill node writes each layer of a chunk while the layers after it are computed")]
    PushLayerwise,

    [SpecName("auto", "for each decode node the one for which its requests have waited least")]
    Auto,
}
