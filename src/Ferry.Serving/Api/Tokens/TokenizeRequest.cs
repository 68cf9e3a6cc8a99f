using System.Text.Json.Nodes;

namespace Ferry.Serving.Api.Tokens;

/// <summary>Body of /tokenize: a prompt, or chat messages.</summary>
internal sealed class TokenizeRequest
{
    public string? Model { get; set; }

    public string? Prompt { get; set; }

    public JsonArray? Messages { get; set; }

    /// <summary>Null: true for a prompt, false for chat, whose template writes them.</summary>
    public bool? AddSpecialTokens { get; set; }

    public bool AddGenerationPrompt { get; set; } = true;

    public bool ReturnTokenStrs { get; set; }

    public JsonArray? Tools { get; set; }

    public JsonObject? ChatTemplateKwargs { get; set; }
}
