using System.Text.Json.Nodes;
using Ferry.Engine.Chat.Jinja;

namespace Ferry.Engine.Chat;

/// <summary>A chat template: the Jinja subset that models ship, rendered by Hugging Face's rules. Immutable; any thread.</summary>
/// <remarks>
/// Known: for (with if, else, break, continue), if, set, macro, namespaces, filters, tests and string methods in common use,
/// <c>raise_exception</c> and <c>strftime_now</c>. A template is untrusted: it reaches nothing but its variables, and work, output
/// and nesting are bounded.
/// </remarks>
public sealed class ChatTemplate
{
    // The longest published templates have some 20,000 characters.
    private const int MaxSourceCharacters = 1 << 18;

    private readonly IReadOnlyList<Statement> _body;
    private readonly string _bosToken;
    private readonly string _eosToken;

    private ChatTemplate(string source, string bosToken, string eosToken)
    {
        (Source, _bosToken, _eosToken) = (source, bosToken, eosToken);
        _body = TemplateParser.Parse(source);
    }

    /// <param name="source">The template text; untrusted.</param>
    /// <param name="bosToken">What the template finds as <c>bos_token</c>.</param>
    /// <param name="eosToken">What the template finds as <c>eos_token</c>.</param>
    /// <exception cref="ChatTemplateException">A construct outside the subset, or text that is no template.</exception>
    public static ChatTemplate Parse(string source, string bosToken, string eosToken) => source.Length <= MaxSourceCharacters
        ? new ChatTemplate(source, bosToken, eosToken)
        : throw new ChatTemplateException(1, $"the template has {source.Length} characters; at most {MaxSourceCharacters} are allowed.");

    public string Source { get; }

    /// <summary>The prompt for a conversation.</summary>
    /// <param name="messages">OpenAI messages: objects with role and content (text, or a list of parts), tool_calls and so on, as received.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant begins.</param>
    /// <param name="now">What <c>strftime_now</c> formats.</param>
    /// <param name="tools">OpenAI tools, or null.</param>
    /// <param name="variables"><c>chat_template_kwargs</c>: further variables, or null. They cannot replace the ones above.</param>
    /// <exception cref="ChatTemplateException">The template refused the messages, met something undefined, or ran over a bound.</exception>
    public string Render(
        JsonArray messages, bool addGenerationPrompt, DateTimeOffset now, JsonArray? tools = null, JsonObject? variables = null)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in variables ?? []) { values[name] = JinjaValue.FromJson(value); }
        values["messages"] = JinjaValue.FromJson(messages);
        values["add_generation_prompt"] = addGenerationPrompt;
        values["tools"] = JinjaValue.FromJson(tools); // none, not undefined, when absent: as Hugging Face
        values["documents"] = null;
        values["bos_token"] = _bosToken;
        values["eos_token"] = _eosToken;
        return new Interpreter(now, values).Run(_body);
    }
}
