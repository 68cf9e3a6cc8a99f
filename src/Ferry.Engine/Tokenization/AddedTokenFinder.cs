using System.Buffers;

namespace Ferry.Engine.Tokenization;

/// <summary>Finds added tokens in text: leftmost, and of those the longest.</summary>
internal sealed class AddedTokenFinder
{
    private readonly SearchValues<char> _firstCharacters;
    private readonly Dictionary<char, AddedToken[]> _byFirstCharacter;

    public AddedTokenFinder(IEnumerable<AddedToken> tokens)
    {
        _byFirstCharacter = tokens.GroupBy(t => t.Text[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Text.Length).ToArray());
        _firstCharacters = SearchValues.Create([.. _byFirstCharacter.Keys]);
    }

    /// <summary>The first token in <paramref name="text"/> at or behind <paramref name="from"/> with the span that it takes, or null.</summary>
    public (AddedToken Token, int Start, int End)? TryFind(string text, int from, bool withSpecial)
    {
        for (var at = from; at < text.Length; at++)
        {
            var step = text.AsSpan(at).IndexOfAny(_firstCharacters);
            if (step < 0) { return null; }
            at += step;
            foreach (var token in _byFirstCharacter[text[at]])
            {
                if ((token.Special && !withSpecial) || !text.AsSpan(at).StartsWith(token.Text, StringComparison.Ordinal)) { continue; }
                var (start, end) = (at, at + token.Text.Length);
                if (token.SingleWord && ((start > 0 && IsWord(text[start - 1])) || (end < text.Length && IsWord(text[end])))) { continue; }
                while (token.LeftStrip && start > from && char.IsWhiteSpace(text[start - 1])) { start--; }
                while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) { end++; }
                return (token, start, end);
            }
        }
        return null;
    }

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_';
}
