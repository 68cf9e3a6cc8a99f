namespace Ferry.Cluster.Diagnosis;

/// <summary>A node's <c>/metrics</c> page in Prometheus' text form. Immutable once read.</summary>
public sealed class MetricPage
{
    /// <summary>A page of a hundred nodes' histograms has about 50,000; what comes after is not read.</summary>
    public const int SamplesMax = 200_000;

    private readonly List<MetricSample> _samples = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Whether there is a sample of that name.</summary>
    public bool Has(string name) => _names.Contains(name);

    public int SampleCount => _samples.Count;

    /// <summary>The sum over all samples of that name whose labels hold every one of <paramref name="labels"/>; 0 if there is none.</summary>
    public double Sum(string name, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var sum = 0.0;
        foreach (var sample in _samples)
        {
            if (sample.Name == name && Holds(sample, labels) && double.IsFinite(sample.Value))
            {
                sum += sample.Value;
            }
        }
        return sum;
    }

    /// <summary>All samples of that name.</summary>
    public IEnumerable<MetricSample> Samples(string name) => _samples.Where(sample => sample.Name == name);

    public static MetricPage Parse(string text)
    {
        var page = new MetricPage();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (page._samples.Count == SamplesMax)
            {
                break;
            }
            if (MetricSample.TryParse(line) is { } sample)
            {
                page._samples.Add(sample);
                page._names.Add(sample.Name);
            }
        }
        return page;
    }

    private static bool Holds(MetricSample sample, ReadOnlySpan<(string Name, string Value)> labels)
    {
        foreach (var (name, value) in labels)
        {
            if (sample.Labels.GetValueOrDefault(name) != value)
            {
                return false;
            }
        }
        return true;
    }
}
