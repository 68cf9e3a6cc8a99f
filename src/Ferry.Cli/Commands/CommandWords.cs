namespace Ferry.Cli.Commands;

/// <summary>Flags that a command with a grammar of its own takes out before its settings are read.</summary>
internal static class CommandWords
{
    /// <summary>Takes <c>--name VALUE</c> or <c>--name=VALUE</c> out.</summary>
    /// <returns>The value; null when the flag is not there, or has none.</returns>
    public static string? Take(List<string> words, string name, out bool isGiven)
    {
        var at = words.FindIndex(word => word == name || word.StartsWith(name + "=", StringComparison.Ordinal));
        isGiven = at >= 0;
        if (!isGiven)
        {
            return null;
        }
        var inline = words[at].Contains('=', StringComparison.Ordinal);
        var value = inline ? words[at].Split('=', 2)[1] : at + 1 < words.Count ? words[at + 1] : null;
        words.RemoveRange(at, inline || value is null ? 1 : 2);
        return value;
    }
}
