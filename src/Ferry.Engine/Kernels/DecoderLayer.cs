namespace Ferry.Engine.Kernels;

/// <summary>The weights of one decoder layer.</summary>
internal sealed class DecoderLayer
{
    public required WeightVector AttentionNorm { get; init; }

    /// <summary>Query heads, then key heads, then value heads.</summary>
    public required PackedMatrix QueryKeyValue { get; init; }

    /// <summary>Qwen3: norm of each query head before its rotation; else null.</summary>
    public WeightVector? QueryNorm { get; init; }

    public WeightVector? KeyNorm { get; init; }

    public required PackedMatrix AttentionOutput { get; init; }

    public required WeightVector FeedForwardNorm { get; init; }

    /// <summary>Gate outputs, then up outputs.</summary>
    public required PackedMatrix GateUp { get; init; }

    public required PackedMatrix Down { get; init; }
}
