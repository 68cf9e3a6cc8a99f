using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>What all fronts of one process count. One for each registry.</summary>
public sealed class FrontMetrics
{
    /// <summary>Seconds of one command, from parsed to answered: 50 µs (a small value) to 10 s (a value over a slow link).</summary>
    private static readonly double[] CommandSeconds = [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, .1, .25, .5, 1, 2.5, 5, 10];

    public FrontMetrics(MetricRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        Connections = registry.Gauge("ferry_front_connections", "Open client connections.", "front");
        Accepted = registry.Counter("ferry_front_connections_accepted_total", "Connections accepted.", "front");
        Ended = registry.Counter("ferry_front_connections_ended_total", "Connections ended, by reason.", "front", "reason");
        Commands = registry.Counter("ferry_front_commands_total", "Commands, by name and outcome.", "front", "command", "outcome");
        Seconds = registry.Histogram("ferry_front_command_seconds", "Seconds of the commands that carry values, transfer included.", CommandSeconds, "front", "command");
        ReceivedBytes = registry.Counter("ferry_front_received_bytes_total", "Bytes received from clients.", "front");
        SentBytes = registry.Counter("ferry_front_sent_bytes_total", "Bytes sent to clients.", "front");
        PutRefused = registry.Counter("ferry_front_puts_refused_total", "Values refused, by reason.", "front", "reason");
    }

    internal MetricFamily Connections { get; }

    internal MetricFamily Accepted { get; }

    internal MetricFamily Ended { get; }

    internal MetricFamily Commands { get; }

    internal MetricFamily Seconds { get; }

    internal MetricFamily ReceivedBytes { get; }

    internal MetricFamily SentBytes { get; }

    internal MetricFamily PutRefused { get; }
}
