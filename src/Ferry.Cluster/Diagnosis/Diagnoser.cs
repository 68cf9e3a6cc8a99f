namespace Ferry.Cluster.Diagnosis;

/// <summary>Reads logs and metrics and says what is wrong, why, and what to do.</summary>
public sealed class Diagnoser
{
    /// <summary>A page of metrics longer than this is not one.</summary>
    public const int MetricPageBytesMax = 64 << 20;

    private readonly List<LogScan> _scans = [];
    private readonly List<string> _problems = [];
    private readonly LogScanner _scanner;
    private readonly IReadOnlyList<Signature> _metrics;

    public Diagnoser()
        : this(SignatureTable.All, new LogScanLimits())
    {
    }

    internal Diagnoser(IReadOnlyList<Signature> signatures, LogScanLimits limits)
    {
        _scanner = new LogScanner(new SignatureIndex(signatures), limits);
        _metrics = [.. signatures.Where(signature => signature.Metric is not null)];
    }

    /// <summary>Reads a log to its end. Constant memory, whatever its length.</summary>
    /// <param name="name">For the report.</param>
    /// <param name="stream">Text or gzip; stays open.</param>
    public async Task ReadLogAsync(string name, Stream stream, CancellationToken cancellationToken) =>
        _scans.Add(await _scanner.ScanAsync(name, stream, cancellationToken));

    /// <summary>Judges a page of metrics.</summary>
    public void ReadMetrics(string name, string page)
    {
        var metrics = MetricPage.Parse(page);
        var sightings = new List<Sighting>();
        foreach (var signature in _metrics)
        {
            if (signature.Metric!(metrics) is { } shown)
            {
                sightings.Add(new Sighting(signature, name, 1, 0, 0, null, null, [shown]));
            }
        }
        _scans.Add(new LogScan(name, page.Length, 0, sightings, [], metrics.SampleCount == 0 ? "no metrics in Prometheus' text form." : ""));
    }

    /// <summary>An input that could not be read: the report names it, so that its silence is not taken for health.</summary>
    public void AddProblem(string text) => _problems.Add(SecretMask.Apply(text));

    public DiagnosisReport Report() => new(CauseRanking.Rank(_scans), [.. _scans], [.. _problems]);
}
