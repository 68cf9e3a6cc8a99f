using System.Text.Json.Nodes;

namespace Ferry.Engine.Tokenization;

/// <summary>Text to tokens and back. Immutable; any thread.</summary>
public sealed class Tokenizer
{
    /// <summary>Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="TokenizerException">Missing, damaged or of an unsupported kind.</exception>
    public static Tokenizer Load(string modelDirectory) => throw new NotImplementedException(modelDirectory);

    /// <summary>The same from the bytes of the files; <paramref name="tokenizerConfig"/> may be empty.</summary>
    public static Tokenizer Parse(ReadOnlyMemory<byte> tokenizerJson, ReadOnlyMemory<byte> tokenizerConfig) => throw new NotImplementedException();

    /// <summary>One more than the largest token id.</summary>
    public int VocabularySize { get; }

    public int? BosTokenId { get; }

    public int? EosTokenId { get; }

    /// <summary>Text of the bos token, or empty.</summary>
    public string BosToken { get; } = "";

    public string EosToken { get; } = "";

    /// <summary>The chat template's source, or null.</summary>
    public string? ChatTemplateSource { get; }

    /// <summary>Tokens of a text. Lone surrogates become U+FFFD.</summary>
    /// <param name="addSpecialTokens">Whether to put what the model expects in front (bos) and behind.</param>
    /// <param name="parseSpecialTokens">Whether text such as "&lt;|im_end|&gt;" becomes that token; false for text that a user typed.</param>
    public int[] Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = true) => throw new NotImplementedException(text);

    /// <summary>Text of tokens. Bytes that are no UTF-8 become U+FFFD; unknown ids become nothing.</summary>
    public string Decode(IReadOnlyList<int> tokenIds, bool skipSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Decodes token by token, giving out whole UTF-8 characters only.</summary>
    public IncrementalDecoder CreateDecoder(bool skipSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Bytes that the token stands for; a special token's are its text in UTF-8; empty for an unknown id.</summary>
    public ReadOnlyMemory<byte> TokenBytes(int tokenId) => throw new NotImplementedException();

    /// <summary>The token's bytes as text, U+FFFD where they are no UTF-8.</summary>
    public string TokenText(int tokenId) => throw new NotImplementedException();

    public bool IsSpecial(int tokenId) => throw new NotImplementedException();

    /// <summary>Id of an added or vocabulary token by its exact text as tokenizer.json spells it, or null.</summary>
    public int? TryFindId(string token) => throw new NotImplementedException();

    /// <summary>tokenizer_config.json, for /tokenizer_info; null when absent.</summary>
    public JsonObject? Config { get; }
}
