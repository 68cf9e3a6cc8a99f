using System.Diagnostics;
using Ferry.Transfer;
using Ferry.Transfer.Probe;
using Ferry.Transfer.Tcp;

namespace Ferry.Cli.Commands.Transport;

/// <summary>Measures every cell of a question, each medium beside its limit in alternating rounds.</summary>
internal sealed class BenchRun(BenchQuestion question, Action<string, int, long> progress)
{
    private const int LimitArenaBytesMax = 256 << 20;
    private const long LendBytesMax = 256L << 20; // Larger than any last-level cache: every byte is cold.

    private readonly TimeProvider _clock = TimeProvider.System;
    private int _cell;

    /// <summary>What peers are asked to lend, and what a server of this question must have.</summary>
    public static long LendBytes(IEnumerable<long> sizes) => Math.Max(LendBytesMax, sizes.Max());

    public async Task<IReadOnlyList<BenchRow>> RunAsync(CancellationToken cancellationToken)
    {
        var rows = new List<BenchRow>();
        await using var server = question.Peer is null ? await BenchServerProcess.StartAsync(question.Media, LendBytes(question.Sizes), cancellationToken) : null;
        foreach (var medium in question.Media)
        {
            foreach (var streams in question.Streams)
            {
                await MeasureAsync(medium, streams, server?.ProcessId, question.Peer ?? server!.Endpoint, rows, cancellationToken);
            }
        }
        return rows;
    }

    private async Task MeasureAsync(BenchMedium medium, int streams, int? serverProcess, string endpoint, List<BenchRow> rows, CancellationToken cancellationToken)
    {
        TcpTransferAgent started;
        try
        {
            started = await BenchAgent.StartAsync(medium, streams, question.Credentials, cancellationToken);
        }
        catch (TransferConfigurationException exception)
        {
            AddFailures(medium, streams, exception.Message, rows);
            return;
        }
        await using var agent = started;
        var (peer, outcome) = await agent.ConnectAsync(endpoint, cancellationToken);
        if (peer is null)
        {
            AddFailures(medium, streams, outcome.ToString(), rows);
            return;
        }
        await using var owned = peer;
        var (probe, refusal) = await TransferProbe.OpenAsync(agent, peer, LendBytes(question.Sizes), medium.Memory, _clock, cancellationToken);
        if (probe is null)
        {
            AddFailures(medium, streams, refusal.ToString(), rows);
            return;
        }
        await using var open = probe;
        using var limit = question.Peer is null ? Limit.Start(medium.Limit, streams, LimitArenaBytesMax, question.Sizes.Max()) : null;
        foreach (var (direction, bytes, depth) in Cells())
        {
            rows.Add(bytes > probe.Bytes
                ? Failed(medium, direction, bytes, depth, streams, $"The peer lends {probe.Bytes} bytes only.")
                : await MeasureAsync(new ProbeCell(direction, bytes, depth, question.CellTime), medium, streams, probe, limit, serverProcess, cancellationToken));
        }
    }

    private async Task<BenchRow> MeasureAsync(
        ProbeCell cell, BenchMedium medium, int streams, TransferProbe probe, Limit? limit, int? serverProcess, CancellationToken cancellationToken)
    {
        var title = $"{medium.Name} {cell.Direction.ToString().ToLowerInvariant()} {cell.Bytes}";
        var number = ++_cell;
        var (samples, limits, cpu) = (new List<ProbeSample>(), new List<double>(), new List<double>());
        var warmingUp = await probe.RunAsync(cell with { Duration = question.CellTime / 8 }, null, cancellationToken);
        if (warmingUp.Failure is { } early)
        {
            return Failed(medium, cell.Direction, cell.Bytes, cell.Depth, streams, early.ToString());
        }
        for (var round = 0; round < question.Rounds; round++)
        {
            if (limit is not null)
            {
                limits.Add((await limit.RunAsync(cell.Bytes, cell.Depth, question.CellTime, _clock, cancellationToken)).GigabytesPerSecond);
            }
            var before = CpuOf(serverProcess);
            var sample = await probe.RunAsync(cell, moved => progress(title, number, moved), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (sample.Failure is { } failure)
            {
                return Failed(medium, cell.Direction, cell.Bytes, cell.Depth, streams, failure.ToString());
            }
            samples.Add(sample);
            cpu.Add((sample.CpuTime + CpuOf(serverProcess) - before).TotalSeconds / (sample.Bytes / 1e9));
        }
        var rate = Median(samples.Select(sample => sample.GigabytesPerSecond));
        double? bound = limits.Count == 0 ? null : Median(limits);
        return new BenchRow(
            medium.Name, cell.Direction.ToString().ToLowerInvariant(), cell.Bytes, cell.Depth, streams, rate, Median(cpu),
            Median(samples.Select(sample => sample.Latency(0.5).TotalMicroseconds)), Median(samples.Select(sample => sample.Latency(0.99).TotalMicroseconds)),
            bound, bound is null ? null : Median(samples.Zip(limits, (sample, one) => sample.GigabytesPerSecond / one)), null);
    }

    private IEnumerable<(TransferDirection Direction, long Bytes, int Depth)> Cells() =>
        from direction in question.Directions from bytes in question.Sizes from depth in question.Depths select (direction, bytes, depth);

    private void AddFailures(BenchMedium medium, int streams, string failure, List<BenchRow> rows)
    {
        foreach (var (direction, bytes, depth) in Cells())
        {
            _cell++;
            rows.Add(Failed(medium, direction, bytes, depth, streams, failure));
        }
    }

    private static BenchRow Failed(BenchMedium medium, TransferDirection direction, long bytes, int depth, int streams, string failure) =>
        new(medium.Name, direction.ToString().ToLowerInvariant(), bytes, depth, streams, 0, 0, 0, 0, null, null, failure);

    private static TimeSpan CpuOf(int? processId)
    {
        if (processId is null)
        {
            return TimeSpan.Zero;
        }
        using var process = Process.GetProcessById(processId.Value);
        return process.TotalProcessorTime;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }

    /// <summary>The limit of one medium, with its memory.</summary>
    private sealed class Limit : IDisposable
    {
        private readonly ProbeArena _source;
        private readonly ProbeArena _target;
        private readonly RawSocketLimit? _sockets;
        private readonly int _streams;

        private Limit(BenchLimit kind, int streams, long bytes)
        {
            _streams = streams;
            _source = new ProbeArena(bytes, ProbeMemory.Private);
            _target = new ProbeArena(bytes, ProbeMemory.Private);
            _sockets = kind == BenchLimit.RawSocket ? new RawSocketLimit(streams, _source, _target) : null;
        }

        public static Limit? Start(BenchLimit kind, int streams, long arenaBytes, long bytesMax) =>
            kind == BenchLimit.None ? null : new Limit(kind, streams, Math.Max(arenaBytes, bytesMax));

        public Task<ProbeSample> RunAsync(long bytes, int depth, TimeSpan duration, TimeProvider clock, CancellationToken cancellationToken) => _sockets is not null
            ? _sockets.RunAsync(bytes, depth, duration, clock, cancellationToken)
            : CopyLimit.RunAsync(_source, _target, bytes, _streams, duration, clock, cancellationToken);

        public void Dispose()
        {
            _sockets?.Dispose();
            _source.Dispose();
            _target.Dispose();
        }
    }
}
