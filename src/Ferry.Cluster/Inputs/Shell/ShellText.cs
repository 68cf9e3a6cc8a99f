using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Questions about a word after the shell has read it.</summary>
internal static partial class ShellText
{
    /// <summary>The place of a <c>$NAME</c> that the shell left as it is because single quotes stand around it; null when there is none.</summary>
    public static SourceSpan? LiteralVariable(SourcedText word)
    {
        // A variable outside quotes would have been replaced, or made the word unknown.
        if (word.HasUnknown || !word.Value.Contains('$', StringComparison.Ordinal) || !word.Span.Text.Contains('\'', StringComparison.Ordinal)) { return null; }
        var match = Variable().Match(word.Value);
        return match.Success ? word.Slice(match.Index, match.Length) : null;
    }

    [GeneratedRegex(@"\$(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)")]
    private static partial Regex Variable();
}
