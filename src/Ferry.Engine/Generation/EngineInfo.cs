using Ferry.Kv.Layout;

namespace Ferry.Engine.Generation;

/// <summary>What an engine serves and in which shape; constant for its life.</summary>
public sealed record EngineInfo
{
    /// <summary>Last part of the model's path, unless the options name it.</summary>
    public required string ModelName { get; init; }

    /// <summary>Directory of weights and tokenizer; empty for engines without one.</summary>
    public string ModelPath { get; init; } = "";

    /// <summary>Fingerprint of weights and shape: what KV keys carry.</summary>
    public UInt128 ModelFingerprint { get; init; }

    /// <summary>Logits of one token.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Most tokens of prompt and output together.</summary>
    public required int MaxModelLen { get; init; }

    public required int MaxNumSeqs { get; init; }

    public required int MaxNumBatchedTokens { get; init; }

    public required int BlockTokens { get; init; }

    public required int BlockCount { get; init; }

    public required int TensorParallelSize { get; init; }

    /// <summary>Element type of the KV pool.</summary>
    public required KvDType KvDType { get; init; }

    /// <summary>Element type of the weights as config.json names it, for example "bfloat16".</summary>
    public string WeightDType { get; init; } = "bfloat16";

    public required DeviceProfile Device { get; init; }

    public bool EnablePrefixCaching { get; init; }

    public bool EnableChunkedPrefill { get; init; }

    /// <summary>Tokens that end a choice unless <see cref="SamplingParams.IgnoreEos"/>: generation_config.json, else config.json, else the tokenizer's.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>Sampling defaults of generation_config.json, for what a request leaves out.</summary>
    public SamplingParams DefaultSampling { get; init; } = new();
}
