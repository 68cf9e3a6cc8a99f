using System.Text.Json;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Completions;

/// <summary>Body of /v1/completions.</summary>
internal sealed class CompletionRequest : GenerationBody
{
    /// <summary>A string, a list of strings, a list of token ids, or a list of such lists.</summary>
    public JsonElement Prompt { get; set; }

    /// <summary>16 when absent; null fills the context.</summary>
    public int? MaxTokens { get; set; } = 16;

    public int? MaxCompletionTokens { get; set; }

    public int? Logprobs { get; set; }

    public bool? Echo { get; set; }

    public bool? AddSpecialTokens { get; set; }

    public int? BestOf { get; set; }

    public string? Suffix { get; set; }
}
