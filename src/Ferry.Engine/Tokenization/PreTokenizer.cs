using System.Globalization;
using System.Text.RegularExpressions;

namespace Ferry.Engine.Tokenization;

/// <summary>Cuts text into the words inside which BPE merges. Steps run in order, each over the pieces of the one before.</summary>
internal sealed class PreTokenizer(IReadOnlyList<PreTokenizer.Step> steps, bool addPrefixSpace)
{
    /// <param name="Regex">What a piece is cut by.</param>
    /// <param name="MatchesOnly">True: keep matches and drop the rest; false: keep both (behaviour "Isolated").</param>
    internal sealed record Step(Regex Regex, bool MatchesOnly);

    /// <exception cref="ArgumentException">Not a pattern that .NET's regular expressions can run.</exception>
    public static Step SplitBy(string pattern, bool matchesOnly) =>
        new(KnownPatterns.Get(pattern), matchesOnly);

    /// <summary>Every digit by itself (<c>individual_digits</c>) or runs of digits apart from the rest.</summary>
    public static Step Digits(bool individual) => SplitBy(individual ? @"\p{N}" : @"\p{N}+", matchesOnly: false);

    public bool AddPrefixSpace { get; } = addPrefixSpace;

    /// <summary>Words as [start, length) in <paramref name="text"/>, in order.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <exception cref="TokenizerException">The pattern ran over its time.</exception>
    public List<Range> Split(string text)
    {
        var shadow = ShadowText.Create(text);
        List<Range> pieces = [new Range(0, shadow.Text.Length)];
        try
        {
            foreach (var step in steps)
            {
                var cut = new List<Range>(shadow.Text.Length / 4);
                foreach (var piece in pieces) { Cut(step, shadow.Text, piece, cut); }
                pieces = cut;
            }
        }
        catch (RegexMatchTimeoutException)
        {
            throw new TokenizerException(
                $"The pre-tokenizer's pattern took more than {KnownPatterns.MatchTimeoutMilliseconds} ms on a text of {text.Length} characters. " +
                "tokenizer.json has a pattern that backtracks; use one without nested repetition.");
        }
        return shadow.ToOriginal(pieces);
    }

    private static void Cut(Step step, string text, Range piece, List<Range> cut)
    {
        var (start, end) = (piece.Start.Value, piece.End.Value);
        // Each piece is a text of its own for the pattern's lookarounds, as in the reference.
        var span = text.AsSpan(start, end - start);
        var at = 0;
        foreach (var match in step.Regex.EnumerateMatches(span))
        {
            if (match.Length == 0) { continue; }
            if (match.Index > at && !step.MatchesOnly) { cut.Add((start + at)..(start + match.Index)); }
            cut.Add((start + match.Index)..(start + match.Index + match.Length));
            at = match.Index + match.Length;
        }
        if (at < span.Length && !step.MatchesOnly) { cut.Add((start + at)..end); }
    }

    /// <summary>
    /// .NET's patterns see UTF-16 units, so a letter beyond U+FFFF would not be <c>\p{L}</c>. The shadow has one unit a character:
    /// each pair of surrogates becomes a unit of the same Unicode category.
    /// </summary>
    private sealed class ShadowText(string text, int[]? originalIndex)
    {
        // One character of each category that characters beyond U+FFFF have, none of them ASCII (patterns name ASCII literally).
        private static readonly Dictionary<UnicodeCategory, char> StandIns = new()
        {
            [UnicodeCategory.UppercaseLetter] = '\u0416',
            [UnicodeCategory.LowercaseLetter] = '\u0436',
            [UnicodeCategory.ModifierLetter] = '\u02B0',
            [UnicodeCategory.OtherLetter] = '\u4E00',
            [UnicodeCategory.NonSpacingMark] = '\u0300',
            [UnicodeCategory.SpacingCombiningMark] = '\u0903',
            [UnicodeCategory.DecimalDigitNumber] = '\u0660',
            [UnicodeCategory.LetterNumber] = '\u2160',
            [UnicodeCategory.OtherNumber] = '\u00B2',
            [UnicodeCategory.Format] = '\u200B',
            [UnicodeCategory.DashPunctuation] = '\u2010',
            [UnicodeCategory.OtherPunctuation] = '\u00A7',
            [UnicodeCategory.MathSymbol] = '\u00B1',
            [UnicodeCategory.CurrencySymbol] = '\u20AC',
            [UnicodeCategory.ModifierSymbol] = '\u00B8',
            [UnicodeCategory.OtherSymbol] = '\u2603',
            [UnicodeCategory.PrivateUse] = '\uE000',
        };

        private const char Unassigned = '\u0378';

        public string Text { get; } = text;

        public static ShadowText Create(string text)
        {
            if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) { return new ShadowText(text, null); }
            var shadow = new char[text.Length];
            var index = new int[text.Length + 1];
            var count = 0;
            for (var i = 0; i < text.Length; i++)
            {
                index[count] = i;
                shadow[count++] = char.IsHighSurrogate(text[i])
                    ? StandIns.GetValueOrDefault(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text[i], text[++i])), Unassigned)
                    : text[i];
            }
            index[count] = text.Length;
            return new ShadowText(new string(shadow, 0, count), index);
        }

        public List<Range> ToOriginal(List<Range> pieces)
        {
            if (originalIndex is null) { return pieces; }
            for (var i = 0; i < pieces.Count; i++)
            {
                pieces[i] = originalIndex[pieces[i].Start.Value]..originalIndex[pieces[i].End.Value];
            }
            return pieces;
        }
    }
}
