using System.Text;
using System.Text.Json.Nodes;

namespace Ferry.Engine.Tokenization;

/// <summary>Text to tokens and back: byte-level BPE as <c>tokenizer.json</c> describes it. Immutable; any thread.</summary>
public sealed class Tokenizer
{
    private const string TokenizerFile = "tokenizer.json";
    private const string ConfigFile = "tokenizer_config.json";
    private const string TemplateFile = "chat_template.jinja";

    private readonly TokenizerParts _parts;
    private readonly AddedTokenFinder _rawFinder;
    private readonly AddedTokenFinder _normalizedFinder;

    /// <param name="chatTemplate">Comes before the one of tokenizer_config.json, as in the reference.</param>
    private Tokenizer(TokenizerParts parts, string? chatTemplate)
    {
        _parts = parts;
        ChatTemplateSource = chatTemplate ?? parts.ChatTemplate;
        _rawFinder = new AddedTokenFinder(parts.Added.Values.Where(t => !t.Normalized));
        _normalizedFinder = new AddedTokenFinder(parts.Added.Values.Where(t => t.Normalized));
        BosTokenId = parts.Bos is { } bos ? TryFindId(bos) : null;
        EosTokenId = parts.Eos is { } eos ? TryFindId(eos) : null;
    }

    /// <summary>Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c> and <c>chat_template.jinja</c>.</summary>
    /// <exception cref="TokenizerException">Missing, damaged or of an unsupported kind.</exception>
    public static Tokenizer Load(string modelDirectory)
    {
        var path = Path.Combine(modelDirectory, TokenizerFile);
        if (!File.Exists(path))
        {
            throw new TokenizerException($"{path} does not exist. A model directory needs {TokenizerFile}; models with only " +
                "tokenizer.model (SentencePiece) must be converted first.");
        }
        var configPath = Path.Combine(modelDirectory, ConfigFile);
        var config = File.Exists(configPath) ? Read(configPath, TokenizerReader.MaxConfigBytes) : [];
        var templatePath = Path.Combine(modelDirectory, TemplateFile);
        var template = File.Exists(templatePath) ? Encoding.UTF8.GetString(Read(templatePath, TokenizerReader.MaxConfigBytes)) : null;
        return new Tokenizer(TokenizerReader.Read(Read(path, TokenizerReader.MaxTokenizerBytes), config), template);
    }

    /// <summary>The same from the bytes of the files; <paramref name="tokenizerConfig"/> may be empty.</summary>
    /// <exception cref="TokenizerException">Damaged or of an unsupported kind.</exception>
    public static Tokenizer Parse(ReadOnlyMemory<byte> tokenizerJson, ReadOnlyMemory<byte> tokenizerConfig) =>
        new(TokenizerReader.Read(tokenizerJson, tokenizerConfig), chatTemplate: null);

    /// <summary>One more than the largest token id.</summary>
    public int VocabularySize => _parts.TokenBytes.Length;

    public int? BosTokenId { get; }

    public int? EosTokenId { get; }

    /// <summary>Text of the bos token, or empty.</summary>
    public string BosToken => _parts.Bos ?? "";

    public string EosToken => _parts.Eos ?? "";

    /// <summary>The chat template's source, or null.</summary>
    public string? ChatTemplateSource { get; }

    /// <summary>tokenizer_config.json, for /tokenizer_info; null when absent. Not to be changed.</summary>
    public JsonObject? Config => _parts.Config;

    /// <summary>Tokens of a text. Lone surrogates become U+FFFD.</summary>
    /// <param name="addSpecialTokens">Whether to put what the model expects in front (bos) and behind.</param>
    /// <param name="parseSpecialTokens">Whether text such as "&lt;|im_end|&gt;" becomes that token; false for text that a user typed.</param>
    /// <exception cref="TokenizerException">The tokenizer's own pattern ran over its time on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = true)
    {
        var tokens = new List<int>((text.Length / 3) + 4);
        if (addSpecialTokens) { tokens.AddRange(_parts.Prefix); }
        ForEachPiece(WellFormed(text), _rawFinder, parseSpecialTokens, tokens, raw =>
            ForEachPiece(_parts.Normalize(raw), _normalizedFinder, parseSpecialTokens, tokens, piece => EncodePlain(piece, tokens)));
        if (addSpecialTokens) { tokens.AddRange(_parts.Suffix); }
        return [.. tokens];
    }

    /// <summary>Text of tokens. Bytes that are no UTF-8 become U+FFFD; unknown ids become nothing.</summary>
    public string Decode(IReadOnlyList<int> tokenIds, bool skipSpecialTokens = true)
    {
        var bytes = new MemoryStream(tokenIds.Count * 4);
        foreach (var id in tokenIds)
        {
            if (!(skipSpecialTokens && IsSpecial(id))) { bytes.Write(TokenBytes(id).Span); }
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>Decodes token by token, giving out whole UTF-8 characters only.</summary>
    public IncrementalDecoder CreateDecoder(bool skipSpecialTokens = true) => new(this, skipSpecialTokens);

    /// <summary>Bytes that the token stands for; an added token's are its text in UTF-8; empty for an unknown id.</summary>
    public ReadOnlyMemory<byte> TokenBytes(int tokenId) =>
        (uint)tokenId < (uint)_parts.TokenBytes.Length ? _parts.TokenBytes[tokenId] : default;

    /// <summary>The token's bytes as text, U+FFFD where they are no UTF-8.</summary>
    public string TokenText(int tokenId) => Encoding.UTF8.GetString(TokenBytes(tokenId).Span);

    public bool IsSpecial(int tokenId) => _parts.Added.TryGetValue(tokenId, out var token) && token.Special;

    /// <summary>Id of an added or vocabulary token by its exact text as tokenizer.json spells it, or null.</summary>
    public int? TryFindId(string token) => _parts.Ids.TryGetValue(token, out var id) ? id : null;

    private static void ForEachPiece(string text, AddedTokenFinder finder, bool withSpecial, List<int> tokens, Action<string> plain)
    {
        var at = 0;
        while (at < text.Length)
        {
            var found = finder.TryFind(text, at, withSpecial);
            var end = found?.Start ?? text.Length;
            if (end > at) { plain(at == 0 && end == text.Length ? text : text[at..end]); }
            if (found is null) { return; }
            tokens.Add(found.Value.Token.Id);
            at = found.Value.End;
        }
    }

    private void EncodePlain(string text, List<int> tokens)
    {
        if (_parts.PreTokenizer.AddPrefixSpace && text[0] != ' ') { text = " " + text; }
        var bytes = new byte[256];
        foreach (var word in _parts.PreTokenizer.Split(text))
        {
            var characters = text.AsSpan(word);
            var needed = Encoding.UTF8.GetMaxByteCount(characters.Length);
            if (bytes.Length < needed) { bytes = new byte[needed]; }
            _parts.Model.Encode(bytes.AsSpan(0, Encoding.UTF8.GetBytes(characters, bytes)), tokens);
        }
    }

    private static string WellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) { return text; }
        var builder = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) { builder.Append(rune.ToString()); } // a lone surrogate comes as U+FFFD
        return builder.ToString();
    }

    private static byte[] Read(string path, int maxBytes)
    {
        var info = new FileInfo(path);
        return info.Length <= maxBytes
            ? File.ReadAllBytes(path)
            : throw new TokenizerException($"{path} has {info.Length} bytes; at most {maxBytes} are read. This is no tokenizer file.");
    }
}
