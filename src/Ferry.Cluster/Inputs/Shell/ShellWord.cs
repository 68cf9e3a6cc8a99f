using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A word before variables are replaced.</summary>
/// <param name="Parts">In order.</param>
/// <param name="Span">As written, quotes included.</param>
/// <param name="Elements">Of <c>NAME=( … )</c>, whose parts are only <c>NAME=</c>; else null.</param>
internal sealed record ShellWord(IReadOnlyList<ShellPart> Parts, SourceSpan Span, IReadOnlyList<ShellWord>? Elements = null)
{
    /// <summary>The word if nothing in it needs a value; variables stand as written.</summary>
    public string Raw => Parts.Count == 1 ? Parts[0].Text.Value : string.Concat(Parts.Select(part => part.Text.Value));

    /// <summary>Length of the name in <c>NAME=</c> or <c>NAME+=</c> at the beginning, or 0 if this is no assignment.</summary>
    public int AssignedNameLength()
    {
        if (Parts.Count == 0 || Parts[0] is not { Kind: ShellPartKind.Literal, IsQuoted: false } first) { return 0; }
        var text = first.Text.Value;
        var length = 0;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] == '_')) { length++; }
        if (length == 0 || length == text.Length || char.IsAsciiDigit(text[0])) { return 0; }
        return text[length] == '=' || (text[length] == '+' && length + 1 < text.Length && text[length + 1] == '=') ? length : 0;
    }
}
