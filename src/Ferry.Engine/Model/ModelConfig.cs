namespace Ferry.Engine.Model;

/// <summary>Shape of a Llama-family decoder, from <c>config.json</c>.</summary>
public sealed record ModelConfig
{
    /// <summary>As the file names it, such as <c>LlamaForCausalLM</c>.</summary>
    public required string Architecture { get; init; }

    public required int Layers { get; init; }

    public required int HiddenSize { get; init; }

    public required int FeedForwardSize { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model is made for (cut to the sliding window where it has one).</summary>
    public required int MaxPositions { get; init; }

    public required float NormEpsilon { get; init; }

    public required RopeConfig Rope { get; init; }

    /// <summary>The head shares the embedding's weights.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Biases on the query, key and value projections.</summary>
    public bool AttentionInputBias { get; init; }

    public bool AttentionOutputBias { get; init; }

    public bool FeedForwardBias { get; init; }

    /// <summary>Norms on each query and key head (Qwen3).</summary>
    public bool HeadNorms { get; init; }

    /// <summary>Token ids that end a text, if the file names them.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    public int? BosTokenId { get; init; }
}
