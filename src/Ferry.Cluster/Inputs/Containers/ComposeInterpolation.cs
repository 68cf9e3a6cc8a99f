using System.Text;
using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>Replaces <c>$NAME</c>, <c>${NAME}</c> and <c>${NAME:-default}</c> in a compose file from its <c>.env</c>; <c>$$</c> is a dollar.</summary>
internal static class ComposeInterpolation
{
    private const int MaxLength = 1 << 17;

    public static SourcedText Apply(SourcedText text, EnvFiles envFiles)
    {
        if (!text.Value.Contains('$', StringComparison.Ordinal)) { return text; }
        var value = new StringBuilder();
        var offsets = new List<int>();
        var hasUnknown = text.HasUnknown;
        for (var i = 0; i < text.Value.Length && value.Length < MaxLength;)
        {
            var (length, name, fallbackAt) = Reference(text.Value, i);
            if (length == 0)
            {
                Add(text.Value[i], text.OffsetAt(i));
                i++;
                continue;
            }
            if (name.Length == 0) { Add('$', text.OffsetAt(i)); }
            else if (envFiles.Value(name) is { } known)
            {
                foreach (var c in known.Value) { Add(c, text.OffsetAt(i)); }
            }
            else if (fallbackAt > 0)
            {
                for (var at = fallbackAt; at < i + length - 1; at++) { Add(text.Value[at], text.OffsetAt(at)); }
            }
            else
            {
                hasUnknown = true;
                for (var at = i; at < i + length; at++) { Add(text.Value[at], text.OffsetAt(at)); }
            }
            i += length;
        }
        return new SourcedText(value.ToString(), text.Span, [.. offsets], hasUnknown);

        void Add(char character, int offset)
        {
            value.Append(character);
            offsets.Add(offset);
        }
    }

    /// <summary>Length of the reference at <paramref name="at"/> (0: none), its name (empty: <c>$$</c>) and where its default begins (0: none).</summary>
    private static (int Length, string Name, int FallbackAt) Reference(string text, int at)
    {
        if (text[at] != '$' || at + 1 >= text.Length) { return (0, "", 0); }
        if (text[at + 1] == '$') { return (2, "", 0); }
        var braced = text[at + 1] == '{';
        var start = at + (braced ? 2 : 1);
        var end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_')) { end++; }
        if (end == start || char.IsAsciiDigit(text[start])) { return (0, "", 0); }
        var name = text[start..end];
        if (!braced) { return (end - at, name, 0); }
        var close = text.IndexOf('}', end);
        if (close < 0) { return (0, "", 0); }
        var op = text.AsSpan(end, close - end);
        var fallback = op.StartsWith(":-") ? end + 2 : op.StartsWith("-") ? end + 1 : 0;
        return (close + 1 - at, name, fallback);
    }
}
