namespace Ferry.Cli.Commands.Transport;

/// <summary>One measured cell: medians of its rounds.</summary>
/// <param name="CpuSecondsPerGigabyte">Both ends on one host; this end alone with a peer elsewhere.</param>
/// <param name="LimitGigabytesPerSecond">Null where nothing bounds it that this run could measure.</param>
/// <param name="Failure">Why there are no numbers, or null.</param>
internal sealed record BenchRow(
    string Medium, string Direction, long Bytes, int Depth, int Streams, double GigabytesPerSecond, double CpuSecondsPerGigabyte,
    double P50Microseconds, double P99Microseconds, double? LimitGigabytesPerSecond, double? OfLimit, string? Failure);
