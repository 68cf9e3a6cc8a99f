namespace Ferry.Serving.Api.Completions;

/// <summary>The completion shape: four parallel lists, one entry a token; null for the first token of an echoed prompt.</summary>
internal sealed class CompletionLogprobs
{
    /// <summary>Characters in front of the token in the answer.</summary>
    public List<int> TextOffset { get; } = [];

    public List<float?> TokenLogprobs { get; } = [];

    public List<string> Tokens { get; } = [];

    public List<IReadOnlyDictionary<string, float>?> TopLogprobs { get; } = [];
}
