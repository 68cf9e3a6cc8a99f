using System.Text;

namespace Ferry.Engine.Tokenization;

/// <summary>Decodes one sequence token by token. Not thread-safe.</summary>
public sealed class IncrementalDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    // Stateful: holds back the bytes of an unfinished character, replaces what can no longer become one.
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    internal IncrementalDecoder(Tokenizer tokenizer, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Text that became certain with this token: whole UTF-8 characters, often empty.</summary>
    public string Append(int tokenId) =>
        _skipSpecialTokens && _tokenizer.IsSpecial(tokenId) ? "" : Decode(_tokenizer.TokenBytes(tokenId).Span, flush: false);

    /// <summary>What is left at the end: U+FFFD for an unfinished character, else empty.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        // A held-back character may come out as a replacement besides what the bytes themselves give.
        var characters = new char[bytes.Length + 4];
        return new string(characters, 0, _utf8.GetChars(bytes, characters, flush));
    }
}
