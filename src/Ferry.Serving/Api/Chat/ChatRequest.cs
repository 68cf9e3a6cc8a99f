using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Api.Chat;

/// <summary>Body of /v1/chat/completions.</summary>
internal sealed class ChatRequest : GenerationBody
{
    public JsonArray? Messages { get; set; }

    public int? MaxTokens { get; set; }

    /// <summary>Newer name of <see cref="MaxTokens"/>, which it overrides.</summary>
    public int? MaxCompletionTokens { get; set; }

    public bool? Logprobs { get; set; }

    public int? TopLogprobs { get; set; }

    public bool? Echo { get; set; }

    public bool? AddGenerationPrompt { get; set; }

    public bool? ContinueFinalMessage { get; set; }

    public bool? AddSpecialTokens { get; set; }

    public JsonObject? ChatTemplateKwargs { get; set; }

    public string? ChatTemplate { get; set; }

    public JsonArray? Tools { get; set; }

    public JsonElement ToolChoice { get; set; }

    public JsonElement Documents { get; set; }

    public JsonElement MmProcessorKwargs { get; set; }

    public JsonElement Modalities { get; set; }

    public JsonElement Audio { get; set; }
}
