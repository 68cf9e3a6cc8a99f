namespace Ferry.Benchmarks.Fronts;

/// <summary>What one server did in one case, over all rounds.</summary>
internal sealed class FrontCell
{
    private readonly List<double> _gigabytesPerSecond = [];
    private readonly List<double> _operationsPerSecond = [];
    private double _cpuSeconds;
    private double _serverCpuSeconds;
    private double _gigabytes;

    public void Add(long operations, int valueBytes, double seconds, double clientCpuSeconds, double serverCpuSeconds)
    {
        var gigabytes = operations * valueBytes / 1e9;
        _gigabytesPerSecond.Add(gigabytes / seconds);
        _operationsPerSecond.Add(operations / seconds);
        _cpuSeconds += clientCpuSeconds + serverCpuSeconds;
        _serverCpuSeconds += serverCpuSeconds;
        _gigabytes += gigabytes;
    }

    public bool IsEmpty => _gigabytesPerSecond.Count == 0;

    public double GigabytesPerSecond => Median(_gigabytesPerSecond);

    public double OperationsPerSecond => Median(_operationsPerSecond);

    /// <summary>Of both ends.</summary>
    public double CpuSecondsPerGigabyte => _cpuSeconds / _gigabytes;

    public double ServerCpuSecondsPerGigabyte => _serverCpuSeconds / _gigabytes;

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[sorted.Count / 2];
    }
}
