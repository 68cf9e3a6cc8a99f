namespace Ferry.Engine.Generation;

/// <summary>How tokens are chosen: vLLM's names and meanings.</summary>
public sealed record SamplingParams
{
    /// <summary>Choices to generate for the prompt.</summary>
    public int N { get; init; } = 1;

    /// <summary>Null: until the context is full.</summary>
    public int? MaxTokens { get; init; }

    public int MinTokens { get; init; }

    /// <summary>0 is greedy.</summary>
    public float Temperature { get; init; } = 1f;

    public float TopP { get; init; } = 1f;

    /// <summary>0 or -1: all tokens.</summary>
    public int TopK { get; init; }

    public float MinP { get; init; }

    public float RepetitionPenalty { get; init; } = 1f;

    public float PresencePenalty { get; init; }

    public float FrequencyPenalty { get; init; }

    public long? Seed { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    public bool IncludeStopInOutput { get; init; }

    public bool IgnoreEos { get; init; }

    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>Null: none; else the chosen token's and that many top alternatives' log probabilities (0..20).</summary>
    public int? Logprobs { get; init; }

    /// <summary>Null: none; else log probabilities of the prompt's tokens.</summary>
    public int? PromptLogprobs { get; init; }

    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    public IReadOnlyList<int>? AllowedTokenIds { get; init; }
}
