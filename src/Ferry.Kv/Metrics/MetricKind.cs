namespace Ferry.Kv.Metrics;

public enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}
