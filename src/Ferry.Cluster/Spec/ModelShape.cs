namespace Ferry.Cluster.Spec;

/// <summary>What a decoder of the Llama family is made of: what its weights, its KV and its arithmetic are computed from.</summary>
public sealed record ModelShape
{
    [SpecKey("layers", "Decoder layers.", Minimum = 1, Maximum = 1024)]
    public required int Layers { get; init; }

    [SpecKey("hidden", "Width of the residual stream.", Minimum = 1, Maximum = 1_000_000)]
    public required int Hidden { get; init; }

    [SpecKey("heads", "Query heads.", Minimum = 1, Maximum = 65_536)]
    public required int Heads { get; init; }

    [SpecKey("kvHeads", "Key and value heads of the whole model.", Minimum = 1, Maximum = 65_536)]
    public required int KvHeads { get; init; }

    [SpecKey("headDim", "Elements of one head.", Minimum = 1, Maximum = 65_536)]
    public required int HeadDim { get; init; }

    [SpecKey("parameters", "Parameters that are stored.", Minimum = 1, Maximum = 1e14)]
    public required long Parameters { get; init; }

    [SpecKey("activeParameters", "Parameters that one token uses; fewer than stored in a mixture of experts.", Minimum = 1, Maximum = 1e14, DefaultText = "all")]
    public long? ActiveParameters { get; init; }

    /// <summary>Parameters that one token's arithmetic touches.</summary>
    public long Active => ActiveParameters ?? Parameters;
}
