using System.Text.Json.Nodes;

namespace Ferry.Engine.Chat;

/// <summary>A chat template: the Jinja subset that models ship. Immutable; any thread.</summary>
public sealed class ChatTemplate
{
    /// <param name="source">The template text; untrusted.</param>
    /// <param name="bosToken">What the template finds as <c>bos_token</c>.</param>
    /// <exception cref="ChatTemplateException">A construct outside the subset, or text that is no template.</exception>
    public static ChatTemplate Parse(string source, string bosToken, string eosToken) => throw new NotImplementedException();

    public string Source { get; } = "";

    /// <summary>The prompt for a conversation.</summary>
    /// <param name="messages">OpenAI messages: objects with role and content (text, or a list of parts), tool_calls and so on, as received.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant begins.</param>
    /// <param name="now">What <c>strftime_now</c> formats.</param>
    /// <param name="tools">OpenAI tools, or null.</param>
    /// <param name="variables"><c>chat_template_kwargs</c>: further variables, or null.</param>
    /// <exception cref="ChatTemplateException">The template refused the messages, met something undefined, or ran over a bound.</exception>
    public string Render(
        JsonArray messages, bool addGenerationPrompt, DateTimeOffset now, JsonArray? tools = null, JsonObject? variables = null) =>
        throw new NotImplementedException();
}
