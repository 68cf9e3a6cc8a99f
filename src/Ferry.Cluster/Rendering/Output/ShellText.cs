using System.Text.RegularExpressions;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>Words of a bash script.</summary>
internal static partial class ShellText
{
    /// <summary>One word that the shell takes as it is: bare where it can be, else in single quotes.</summary>
    public static string Quote(string word) =>
        Bare().IsMatch(word) ? word : "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";

    /// <summary>Text for the inside of double quotes.</summary>
    public static string Escape(string text) => Special().Replace(text, @"\$0");

    [GeneratedRegex(@"^[A-Za-z0-9_./:=@%+,-]+$")]
    private static partial Regex Bare();

    [GeneratedRegex("[\"\\\\$`]")]
    private static partial Regex Special();
}
