using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Ferry.Serving.Api.Generation;

/// <summary>Fields that completions and chat share, as vLLM names them. Null: not given, the default holds.</summary>
internal abstract class GenerationBody
{
    public string? Model { get; set; }

    public bool? Stream { get; set; }

    public StreamOptions? StreamOptions { get; set; }

    public int? N { get; set; }

    public float? Temperature { get; set; }

    public float? TopP { get; set; }

    public int? TopK { get; set; }

    public float? MinP { get; set; }

    public float? RepetitionPenalty { get; set; }

    public float? PresencePenalty { get; set; }

    public float? FrequencyPenalty { get; set; }

    public long? Seed { get; set; }

    /// <summary>A string, a list of strings, or null.</summary>
    public JsonElement Stop { get; set; }

    public IReadOnlyList<int>? StopTokenIds { get; set; }

    public bool? IncludeStopStrInOutput { get; set; }

    public bool? IgnoreEos { get; set; }

    public int? MinTokens { get; set; }

    public bool? SkipSpecialTokens { get; set; }

    public int? PromptLogprobs { get; set; }

    public IReadOnlyDictionary<string, float>? LogitBias { get; set; }

    public IReadOnlyList<int>? AllowedTokenIds { get; set; }

    public int? TruncatePromptTokens { get; set; }

    public string? CacheSalt { get; set; }

    public JsonObject? KvTransferParams { get; set; }

    public string? RequestId { get; set; }

    public int? Priority { get; set; }

    public bool? ReturnTokenIds { get; set; }

    public bool? ReturnTokensAsTokenIds { get; set; }

    // Known to vLLM and OpenAI, not to Ferry: refused when they ask for something (UnsupportedFields).
    public JsonElement ResponseFormat { get; set; }

    public JsonElement StructuredOutputs { get; set; }

    public JsonElement GuidedJson { get; set; }

    public JsonElement GuidedRegex { get; set; }

    public JsonElement GuidedChoice { get; set; }

    public JsonElement GuidedGrammar { get; set; }

    public JsonElement BadWords { get; set; }

    public JsonElement PromptEmbeds { get; set; }

    public bool? UseBeamSearch { get; set; }

    public JsonElement RepetitionDetection { get; set; }

    public JsonElement ThinkingTokenBudget { get; set; }

    /// <summary>Fields that Ferry does not know: accepted and ignored, as vLLM does.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
