using System.Globalization;

namespace Ferry.Cli.Up;

/// <summary>A node's counters as its <c>/metrics</c> page gives them; samples of one name are added up over their labels.</summary>
internal sealed class NodeMetrics
{
    private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);

    public static NodeMetrics Empty { get; } = new();

    /// <summary>The sum over all samples of that name, 0 if there is none.</summary>
    public double this[string name] => _values.GetValueOrDefault(name);

    public static NodeMetrics Parse(string text)
    {
        var metrics = new NodeMetrics();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsEmpty || line[0] == '#')
            {
                continue;
            }
            var nameEnd = line.IndexOfAny('{', ' ');
            var valueStart = line.LastIndexOf(' ');
            if (nameEnd <= 0 || !double.TryParse(line[(valueStart + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            {
                continue;
            }
            var name = line[..nameEnd].ToString();
            metrics._values[name] = metrics._values.GetValueOrDefault(name) + value;
        }
        return metrics;
    }

    /// <summary>Null when the node does not answer.</summary>
    public static async Task<NodeMetrics?> TryReadAsync(HttpClient http, Uri url, CancellationToken cancellationToken)
    {
        try
        {
            return Parse(await http.GetStringAsync(new Uri(url, "/metrics"), cancellationToken));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
