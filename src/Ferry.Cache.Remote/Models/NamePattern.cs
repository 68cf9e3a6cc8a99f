namespace Ferry.Cache.Remote.Models;

/// <summary>A model's name, or a pattern in which <c>*</c> stands for any characters (also none) and <c>?</c> for one.</summary>
internal sealed class NamePattern(string text)
{
    public string Text { get; } = text;

    /// <summary>Whether it may match more than one name.</summary>
    public bool IsGlob { get; } = text.AsSpan().ContainsAny('*', '?');

    /// <summary>Letter case counts, as it does in keys. Work is at most the product of the two lengths.</summary>
    public bool Matches(ReadOnlySpan<char> name)
    {
        if (!IsGlob)
        {
            return name.SequenceEqual(Text);
        }
        // Only the last star needs to be tried again: what an earlier one took can only be more than it had to.
        var (at, inPattern, star, resume) = (0, 0, -1, 0);
        while (at < name.Length)
        {
            if (inPattern < Text.Length && Text[inPattern] == '*')
            {
                (star, resume) = (inPattern++, at);
            }
            else if (inPattern < Text.Length && (Text[inPattern] == '?' || Text[inPattern] == name[at]))
            {
                (at, inPattern) = (at + 1, inPattern + 1);
            }
            else if (star >= 0)
            {
                (inPattern, at) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }
        return Text.AsSpan(inPattern).TrimStart('*').IsEmpty;
    }
}
