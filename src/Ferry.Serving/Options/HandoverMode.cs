namespace Ferry.Serving.Options;

/// <summary>How the KV of a prefill gets to the decode node. The numbers stand in messages (docs/wire/push.md) and never change.</summary>
public enum HandoverMode : byte
{
    /// <summary>The decode node reads it after the prefill.</summary>
    Pull = 1,

    /// <summary>The prefill node writes each chunk into the decode node's memory as soon as it is computed; what is not there in time is pulled.</summary>
    Push = 2,

    /// <summary>As <see cref="Push"/>, but layer by layer: the bytes of a layer go while the layers after it are computed.</summary>
    PushLayerwise = 3,

    /// <summary>The prefill node takes, for each decode node, the one of the others that has kept requests waiting least. Only in settings: a hand-over has one of the others.</summary>
    Auto = 4,
}
