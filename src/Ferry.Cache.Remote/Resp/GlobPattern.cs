namespace Ferry.Cache.Remote.Resp;

/// <summary>Redis' patterns: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[^a]</c>, and a backslash before what is meant as it is.</summary>
/// <remarks>Never worse than pattern times text: a star that fails gives back one byte, and only the last star is tried again.</remarks>
internal static class GlobPattern
{
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        var (p, t) = (0, 0);
        var (starPattern, starText) = (-1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == (byte)'*')
            {
                starPattern = ++p;
                starText = t;
            }
            else if (p < pattern.Length && MatchesOne(pattern, p, text[t], out var next))
            {
                p = next;
                t++;
            }
            else if (starPattern >= 0)
            {
                p = starPattern;
                t = ++starText;
            }
            else
            {
                return false;
            }
        }
        return pattern[p..].IndexOfAnyExcept((byte)'*') < 0;
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, int at, byte value, out int next)
    {
        next = at + 1;
        switch (pattern[at])
        {
            case (byte)'?':
                return true;
            case (byte)'[':
                return MatchesSet(pattern, at + 1, value, out next);
            case (byte)'\\' when next < pattern.Length:
                return pattern[next++] == value;
            default:
                return pattern[at] == value;
        }
    }

    /// <summary>A set without its closing bracket ends with the pattern, as in Redis.</summary>
    private static bool MatchesSet(ReadOnlySpan<byte> pattern, int at, byte value, out int next)
    {
        var isInverted = at < pattern.Length && pattern[at] == (byte)'^';
        at += isInverted ? 1 : 0;
        var isIn = false;
        while (at < pattern.Length && pattern[at] != (byte)']')
        {
            if (pattern[at] == (byte)'\\' && at + 1 < pattern.Length)
            {
                isIn |= pattern[at + 1] == value;
                at += 2;
            }
            else if (at + 2 < pattern.Length && pattern[at + 1] == (byte)'-')
            {
                isIn |= value >= Math.Min(pattern[at], pattern[at + 2]) && value <= Math.Max(pattern[at], pattern[at + 2]);
                at += 3;
            }
            else
            {
                isIn |= pattern[at++] == value;
            }
        }
        next = Math.Min(at + 1, pattern.Length);
        return isIn != isInverted;
    }
}
