using System.Buffers;
using System.Globalization;
using System.Text.Unicode;
using Ferry.Kv.Hashing;

namespace Ferry.Kv.Keys;

/// <summary>The pieces that LMCache's key strings are made of. Reading is strict, so that what is read prints as the same text.</summary>
internal static class KeyText
{
    /// <summary>Longest key that is taken apart; longer ones are opaque. LMCache's own caps are 150 (lm://) and 128 for a salt.</summary>
    public const int MaxCharacters = 1024;

    public const char Separator = '@';

    /// <summary>World sizes, ranks and layers: far beyond any real one, and short enough not to be mistaken for a kv_rank.</summary>
    private const int MaxNumberDigits = 6;

    private static readonly SearchValues<char> NotInParts =
        SearchValues.Create([Separator, .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(char.IsControl)]); // All control characters lie below U+00A0.

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>A key as text.</summary>
    /// <param name="text">Of <see cref="MaxCharacters"/>, or as many as there are bytes.</param>
    /// <returns>False if it is not UTF-8.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> utf8, Span<char> text, out int characters) =>
        Utf8.ToUtf16(utf8, text, out _, out characters, replaceInvalidSequences: false) == OperationStatus.Done;

    /// <summary>Whether a part can stand between separators: not empty, no separator, no control character.</summary>
    public static bool IsPart(ReadOnlySpan<char> text) => text.Length is > 0 and <= MaxCharacters && !text.ContainsAny(NotInParts);

    /// <summary>A decimal number as Python prints it (no sign, no leading zero), or null.</summary>
    public static int? TryNumber(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxNumberDigits && (text[0] != '0' || text.Length == 1)
        && !text.ContainsAnyExceptInRange('0', '9')   // .NET's parser would let trailing NULs pass
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    public static bool IsNumber(int number) => number is >= 0 and < 1_000_000;

    /// <summary>Lowercase hex digits without a leading zero, at most 32 bits, or null.</summary>
    public static uint? TryShortHex(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= 8 && (text[0] != '0' || text.Length == 1) && IsLowerHex(text)
        && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>Eight lowercase hex digits, or null.</summary>
    public static uint? TryWideHex(ReadOnlySpan<char> text) =>
        text.Length == 8 && IsLowerHex(text)
        && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>A hash of exactly <paramref name="byteCount"/> bytes in lowercase hex, or null.</summary>
    public static ChunkHash? TryHash(ReadOnlySpan<char> text, int byteCount) =>
        text.Length == 2 * byteCount && IsLowerHex(text) ? ChunkHash.TryParse(text) : null;

    /// <summary>Whether there are lowercase hex digits only.</summary>
    public static bool IsLowerHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(LowerHex);
}
