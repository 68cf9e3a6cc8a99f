using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Reads env files: <c>NAME=value</c> a line, quotes around a value taken off, <c>export</c> and comments allowed.</summary>
internal static class EnvFileReader
{
    public static IReadOnlyList<EnvironmentSetting> Read(SourcedText text)
    {
        var settings = new List<EnvironmentSetting>();
        foreach (var (start, length) in Lines(text.Value))
        {
            var line = text.Value.AsSpan(start, length);
            var ink = line.Length - line.TrimStart().Length;
            if (line[ink..].StartsWith("export ")) { ink += 7; }
            var equals = line.IndexOf('=');
            if (equals <= ink || line[ink] == '#') { continue; }
            var name = line[ink..equals].TrimEnd();
            if (!IsName(name)) { continue; }
            var valueStart = equals + 1;
            var value = line[valueStart..];
            var blank = value.Length - value.TrimStart().Length;
            valueStart += blank;
            value = value.Trim();
            if (value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0])
            {
                valueStart++;
                value = value[1..^1];
            }
            else if (value.IndexOf(" #") is var comment && comment >= 0)
            {
                value = value[..comment].TrimEnd();
            }
            settings.Add(new EnvironmentSetting(text.Part(start + ink, name.Length), text.Part(start + valueStart, value.Length),
                text.Slice(start + ink, valueStart + value.Length - ink), EnvironmentOrigin.EnvFile));
        }
        return settings;
    }

    /// <summary>Whether every line that says anything is an assignment.</summary>
    public static bool IsEnvFile(string text)
    {
        var count = 0;
        foreach (var (start, length) in Lines(text))
        {
            var line = text.AsSpan(start, length).Trim();
            if (line.Length == 0 || line[0] == '#') { continue; }
            if (line.StartsWith("export ")) { line = line[7..]; }
            var equals = line.IndexOf('=');
            if (equals <= 0 || !IsName(line[..equals].TrimEnd())) { return false; }
            count++;
        }
        return count > 0;
    }

    private static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) { return false; }
        foreach (var c in name)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c == '_')) { return false; }
        }
        return true;
    }

    private static IEnumerable<(int Start, int Length)> Lines(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf('\n', at);
            if (end < 0) { end = text.Length; }
            yield return (at, end - at);
            at = end + 1;
        }
    }
}
