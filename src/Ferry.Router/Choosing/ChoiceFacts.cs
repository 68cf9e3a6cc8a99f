using Ferry.Router.Security;

namespace Ferry.Router.Choosing;

/// <summary>What a request says that a choice of nodes depends on. The memory is the request's body: it must live as long as the <see cref="Choice"/>.</summary>
public sealed class ChoiceFacts
{
    /// <summary>Raw JSON value of the prompt: text, a list of token ids, or a list of chat messages.</summary>
    public required ReadOnlyMemory<byte> Prompt { get; init; }

    /// <summary>
    /// Raw JSON values that change the prompt's tokens from the first on, each always in the same place of the list: tools, documents,
    /// chat_template, chat_template_kwargs… Empty values where the request has none.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Context { get; init; } = [];

    /// <summary>Model or LoRA adapter, as the request names it: another name is another KV.</summary>
    public string Model { get; init; } = "";

    /// <summary>Raw JSON value of cache_salt; empty when there is none. Only requests with the same salt share KV.</summary>
    public ReadOnlyMemory<byte> CacheSalt { get; init; }

    /// <summary>What keeps a conversation on its nodes: X-Session-ID, or the body's <c>user</c>; null when there is none.</summary>
    public string? SessionKey { get; init; }

    public Tenant Tenant { get; init; } = Tenant.Anonymous;

    /// <summary>vLLM's meaning: a lower number is served earlier.</summary>
    public int Priority { get; init; }

    /// <summary>Exact count where the request tells it; null: it is estimated from the bytes.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Why no prefill leg is possible whatever the nodes (n > 1, prompt log probabilities…); null when one is.</summary>
    public string? DecodeOnlyReason { get; init; }

    /// <summary>The prefill node that a trusted peer has chosen already (see <see cref="NodeChooser.TryFind"/>); null: ours to choose.</summary>
    public Node? GivenPrefill { get; init; }
}
