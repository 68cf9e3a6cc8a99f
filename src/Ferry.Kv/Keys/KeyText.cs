using System.Globalization;
using System.Text;
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

    /// <summary>A key as text, or null if it is too long or not UTF-8.</summary>
    public static string? TryDecode(ReadOnlySpan<byte> utf8) =>
        utf8.Length <= MaxCharacters && System.Text.Unicode.Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;

    /// <summary>Whether a part can stand between separators: not empty, no separator, no control character.</summary>
    public static bool IsPart(string text) => text.Length is > 0 and <= MaxCharacters && !text.Any(c => c == Separator || char.IsControl(c));

    /// <summary>A decimal number as Python prints it (no sign, no leading zero), or null.</summary>
    public static int? TryNumber(string text) =>
        text.Length is > 0 and <= MaxNumberDigits && (text[0] != '0' || text.Length == 1)
        && text.All(char.IsAsciiDigit)   // .NET's parser would let trailing NULs pass
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    public static bool IsNumber(int number) => number is >= 0 and < 1_000_000;

    /// <summary>Lowercase hex digits without a leading zero, at most 32 bits, or null.</summary>
    public static uint? TryShortHex(string text) =>
        text.Length is > 0 and <= 8 && (text[0] != '0' || text.Length == 1) && IsLowerHex(text)
        && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>Eight lowercase hex digits, or null.</summary>
    public static uint? TryWideHex(string text) =>
        text.Length == 8 && IsLowerHex(text)
        && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>A hash of exactly <paramref name="byteCount"/> bytes in lowercase hex, or null.</summary>
    public static ChunkHash? TryHash(string text, int byteCount) =>
        text.Length == 2 * byteCount && IsLowerHex(text) ? ChunkHash.TryParse(text) : null;

    private static bool IsLowerHex(string text) => text.All(char.IsAsciiHexDigitLower);
}
