using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Ferry.Kv.Metrics;

/// <summary>One metric name with all its series. Any thread.</summary>
public sealed class MetricFamily
{
    /// <summary>Series of one family; more share one series, so that hostile label values cannot fill the memory.</summary>
    private const int MaxSeries = 1024;

    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly (string Name, string Value)[] _constantLabels;
    private readonly string[] _labelNames;
    private readonly double[] _upperBounds;

    internal MetricFamily(
        string name, string help, MetricKind kind, string[] labelNames, IReadOnlyList<double> upperBounds, (string Name, string Value)[] constantLabels)
    {
        Name = name;
        Help = help;
        Kind = kind;
        _labelNames = labelNames;
        _upperBounds = [.. upperBounds];
        _constantLabels = constantLabels;
        if (labelNames.Length == 0)
        {
            With();   // a metric without labels is there from the start, at 0
        }
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>The series of these label values, made when first asked for.</summary>
    public MetricSeries With(params ReadOnlySpan<string> labelValues)
    {
        if (labelValues.Length != _labelNames.Length)
        {
            throw new ArgumentException($"{Name} has {_labelNames.Length} labels, not {labelValues.Length}.", nameof(labelValues));
        }
        var labels = Labels(labelValues);
        if (_series.TryGetValue(labels, out var found))
        {
            return found;
        }
        if (_series.Count >= MaxSeries)
        {
            string[] other = [.. _labelNames.Select(_ => "other")];
            labels = Labels(other);
        }
        return _series.GetOrAdd(labels, static (_, bounds) => new MetricSeries(bounds), _upperBounds);
    }

    internal void WriteText(StringBuilder text) => WriteText(text, Name, Help, null);

    /// <summary>Writes the series that carry a label, or all, under a name.</summary>
    internal void WriteText(StringBuilder text, string name, string help, string? label)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(KindName(Kind)).Append('\n');
        foreach (var (labels, series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (label is not null && !$",{labels},".Contains($",{label},", StringComparison.Ordinal))
            {
                continue;
            }
            if (Kind == MetricKind.Histogram)
            {
                WriteHistogram(text, name, labels, series);
            }
            else
            {
                WriteSample(text, name, labels, null, series.Value);
            }
        }
    }

    private static string KindName(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private void WriteHistogram(StringBuilder text, string name, string labels, MetricSeries series)
    {
        long cumulative = 0;
        for (var index = 0; index <= _upperBounds.Length; index++)
        {
            cumulative += series.BucketCount(index);
            var bound = index == _upperBounds.Length ? "+Inf" : Number(_upperBounds[index]);
            WriteSample(text, name + "_bucket", labels, bound, cumulative);
        }
        WriteSample(text, name + "_count", labels, null, cumulative);
        WriteSample(text, name + "_sum", labels, null, series.Value);
    }

    private static void WriteSample(StringBuilder text, string name, string labels, string? bound, double value)
    {
        text.Append(name);
        if (labels.Length > 0 || bound is not null)
        {
            text.Append('{').Append(labels);
            if (bound is not null)
            {
                text.Append(labels.Length > 0 ? "," : "").Append("le=\"").Append(bound).Append('"');
            }
            text.Append('}');
        }
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>Python's way (1.0, not 1), which vLLM's own text has.</summary>
    private static string Number(double value)
    {
        if (double.IsPositiveInfinity(value))
        {
            return "+Inf";
        }
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny(".EN") ? text : text + ".0";
    }

    private string Labels(ReadOnlySpan<string> values)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in _constantLabels)
        {
            AppendLabel(text, name, value);
        }
        for (var index = 0; index < values.Length; index++)
        {
            AppendLabel(text, _labelNames[index], values[index]);
        }
        return text.ToString();
    }

    private static void AppendLabel(StringBuilder text, string name, string value)
    {
        text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"");
        foreach (var character in value)
        {
            _ = character switch
            {
                '\\' => text.Append("\\\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append("\\n"),
                _ => text.Append(character),
            };
        }
        text.Append('"');
    }
}
