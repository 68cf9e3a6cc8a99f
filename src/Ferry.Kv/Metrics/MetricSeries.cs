namespace Ferry.Kv.Metrics;

/// <summary>One series: a counter's or gauge's value, or a histogram's buckets and sum. Any thread, no lock.</summary>
public sealed class MetricSeries
{
    private readonly double[] _upperBounds;
    private readonly long[] _buckets;
    private double _value;

    internal MetricSeries(double[] upperBounds)
    {
        _upperBounds = upperBounds;
        _buckets = new long[upperBounds.Length + 1];
    }

    /// <summary>A histogram's is the sum of what was observed.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>Observations of a histogram.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (var index = 0; index < _buckets.Length; index++)
            {
                count += BucketCount(index);
            }
            return count;
        }
    }

    public void Add(double amount = 1)
    {
        var seen = Volatile.Read(ref _value);
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _value, seen + amount, seen);
            if (before.Equals(seen))
            {
                return;
            }
            seen = before;
        }
    }

    /// <summary>Sets a gauge, or a counter that someone else counts.</summary>
    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Observe(double value)
    {
        var index = 0;
        while (index < _upperBounds.Length && value > _upperBounds[index])
        {
            index++;
        }
        Interlocked.Increment(ref _buckets[index]);
        Add(value);
    }

    /// <summary>Sets a histogram that someone else counts.</summary>
    /// <param name="bucketCounts">Observations of each bucket alone, one more than there are bounds.</param>
    /// <param name="sum">Of all that was observed.</param>
    public void Set(IReadOnlyList<long> bucketCounts, double sum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bucketCounts.Count, _buckets.Length);
        for (var index = 0; index < _buckets.Length; index++)
        {
            Volatile.Write(ref _buckets[index], bucketCounts[index]);
        }
        Set(sum);
    }

    internal long BucketCount(int index) => Volatile.Read(ref _buckets[index]);
}
