using System.Text;

namespace Ferry.Kv.Metrics;

/// <summary>The metrics of one process, and their Prometheus text (exposition format 0.0.4).</summary>
/// <remarks>
/// Ferry writes its own: vLLM's names contain a colon (<c>vllm:num_requests_running</c>), which the common .NET library refuses.
/// Registration happens at start on one thread; samples and <see cref="WriteText"/> come from any thread.
/// </remarks>
/// <param name="constantLabels">Put on every sample, in this order.</param>
public sealed class MetricRegistry(params (string Name, string Value)[] constantLabels)
{
    /// <summary>What Content-Type says of <see cref="WriteText"/>.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly List<MetricFamily> _families = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<MetricAlias> _aliases = [];
    private readonly List<Action> _collectors = [];
    private readonly Lock _collecting = new();

    /// <summary>Names in the order of registration.</summary>
    public IEnumerable<string> Names => _families.Select(family => family.Name).Concat(_aliases.Select(alias => alias.Name));

    /// <param name="name">Ends in <c>_total</c>.</param>
    public MetricFamily Counter(string name, string help, params string[] labelNames) =>
        Add(new MetricFamily(name, help, MetricKind.Counter, labelNames, [], constantLabels));

    public MetricFamily Gauge(string name, string help, params string[] labelNames) =>
        Add(new MetricFamily(name, help, MetricKind.Gauge, labelNames, [], constantLabels));

    /// <param name="upperBounds">Rising; +Inf is added.</param>
    public MetricFamily Histogram(string name, string help, IReadOnlyList<double> upperBounds, params string[] labelNames) =>
        Add(new MetricFamily(name, help, MetricKind.Histogram, labelNames, upperBounds, constantLabels));

    /// <summary>Writes the series of a family that carry a label value under another name too.</summary>
    public void Alias(string name, string help, MetricFamily source, string label, string value)
    {
        TakeName(name);
        _aliases.Add(new MetricAlias(name, help, source, label, value));
    }

    /// <summary>Called before each <see cref="WriteText"/>, to copy figures that others count.</summary>
    public void OnCollect(Action collector) => _collectors.Add(collector);

    /// <summary>All families with all their series.</summary>
    public void WriteText(StringBuilder text)
    {
        lock (_collecting)
        {
            foreach (var collector in _collectors)
            {
                collector();
            }
        }
        foreach (var family in _families)
        {
            family.WriteText(text);
        }
        foreach (var alias in _aliases)
        {
            alias.WriteText(text);
        }
    }

    private MetricFamily Add(MetricFamily family)
    {
        TakeName(family.Name);
        _families.Add(family);
        return family;
    }

    private void TakeName(string name)
    {
        if (!_names.Add(name))
        {
            throw new ArgumentException($"The metric {name} is registered twice.", nameof(name));
        }
    }
}
