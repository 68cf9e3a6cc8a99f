using System.Globalization;
using System.Text;

namespace Ferry.Cluster.Diagnosis;

/// <summary>One line of a <c>/metrics</c> page.</summary>
public sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    private static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    /// <summary>Null for a comment, an empty line, and whatever is no sample.</summary>
    internal static MetricSample? TryParse(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        if (line.IsEmpty || line[0] == '#')
        {
            return null;
        }
        var nameEnd = line.IndexOfAny('{', ' ');
        if (nameEnd <= 0)
        {
            return null;
        }
        var labels = NoLabels;
        var rest = line[nameEnd..];
        if (rest[0] == '{')
        {
            var read = new Dictionary<string, string>(StringComparer.Ordinal);
            var length = ReadLabels(rest, read);
            if (length < 0)
            {
                return null;
            }
            labels = read;
            rest = rest[length..];
        }
        rest = rest.Trim();
        var valueEnd = rest.IndexOf(' ');   // A time stamp may follow.
        return TryNumber(valueEnd < 0 ? rest : rest[..valueEnd], out var value) ? new MetricSample(line[..nameEnd].ToString(), labels, value) : null;
    }

    /// <returns>The length of the part in braces; negative when it has no end.</returns>
    private static int ReadLabels(ReadOnlySpan<char> text, Dictionary<string, string> labels)
    {
        var at = 1;
        var value = new StringBuilder();
        while (at < text.Length && text[at] != '}')
        {
            var equals = text[at..].IndexOf('=');
            if (equals < 0 || at + equals + 1 >= text.Length || text[at + equals + 1] != '"')
            {
                return -1;
            }
            var name = text.Slice(at, equals).Trim(" ,").ToString();
            at += equals + 2;
            value.Clear();
            for (; at < text.Length && text[at] != '"'; at++)
            {
                var isEscape = text[at] == '\\' && at + 1 < text.Length;
                at += isEscape ? 1 : 0;
                value.Append(isEscape && text[at] == 'n' ? '\n' : text[at]);
            }
            if (at >= text.Length)
            {
                return -1;
            }
            labels[name] = value.ToString();
            at++;
            while (at < text.Length && text[at] is ',' or ' ')
            {
                at++;
            }
        }
        return at < text.Length ? at + 1 : -1;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double value)
    {
        (var known, value) = text switch
        {
            "+Inf" => (true, double.PositiveInfinity),
            "-Inf" => (true, double.NegativeInfinity),
            "NaN" => (true, double.NaN),
            _ => (false, 0),
        };
        return known || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }
}
