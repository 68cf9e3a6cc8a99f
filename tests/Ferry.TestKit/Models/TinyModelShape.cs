using Ferry.Engine.Kernels;

namespace Ferry.TestKit.Models;

/// <summary>Shape of a random model for tests: small enough that a forward pass takes microseconds, odd enough that no size is a round number of lanes by luck.</summary>
public sealed record TinyModelShape
{
    public string Architecture { get; init; } = "LlamaForCausalLM";

    public int Layers { get; init; } = 2;

    public int HiddenSize { get; init; } = 48;

    public int FeedForwardSize { get; init; } = 72;

    public int Heads { get; init; } = 8;

    public int KvHeads { get; init; } = 4;

    public int HeadDim { get; init; } = 16;

    public int VocabularySize { get; init; } = 100;

    public int MaxPositions { get; init; } = 2048;

    public bool TiedEmbeddings { get; init; } = true;

    public WeightFormat Format { get; init; } = WeightFormat.BFloat16;

    /// <summary>Raw JSON of <c>rope_scaling</c>, or null.</summary>
    public string? RopeScaling { get; init; }

    public double RopeTheta { get; init; } = 10_000;

    public double NormEpsilon { get; init; } = 1e-5;

    public bool HasInputBias => Architecture == "Qwen2ForCausalLM";

    public bool HasHeadNorms => Architecture == "Qwen3ForCausalLM";
}
