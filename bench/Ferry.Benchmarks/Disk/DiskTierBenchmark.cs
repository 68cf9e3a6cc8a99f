using System.Diagnostics;
using System.Runtime.InteropServices;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Cache.Tiers.Disk.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Benchmarks.Disk;

/// <summary>The disk tier beside fio with the same pattern, in alternating rounds; then starts with many records.</summary>
internal static partial class DiskTierBenchmark
{
    private const int Depth = 4;
    private const int Rounds = 5;
    private const int DontNeed = 4; // POSIX_FADV_DONTNEED

    public static void Run(string[] args)
    {
        var parent = args is [var first, ..] && first.Contains('/') ? first : null;
        var directory = Directory.CreateDirectory(Path.Combine(parent ?? Path.GetTempPath(), $"ferry-bench-disk-{Environment.ProcessId}")).FullName;
        try
        {
            RunAsync(directory, parent is null ? args : args[1..]).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <param name="only">Sizes to measure ("20MiB") and "start"; empty for all.</param>
    private static async Task RunAsync(string directory, string[] only)
    {
        bool IsWanted(string name) => only.Length == 0 || only.Contains(name.Replace(" ", ""));
        (string Name, int Bytes, long Total, bool HugePages)[] cases =
        [
            ("20 MiB", 20 << 20, 1280L << 20, true), ("20 MiB, small pages", 20 << 20, 1280L << 20, false), ("1 MiB", 1 << 20, 768L << 20, true), ("64 KiB", 64 << 10, 192L << 20, true),
        ];
        if (Array.Exists(cases, one => IsWanted(one.Name)))
        {
            if (!FioSide.TryInstall())
            {
                throw new InvalidOperationException("fio is not here and could not be installed (Debian package fio).");
            }
            Console.WriteLine($"Depth {Depth}, direct; median of {Rounds} alternating rounds.");
            Console.WriteLine();
            Console.WriteLine("| disk tier | GB/s | fio GB/s | ratio (min–max) | CPU-s/GB | fio CPU-s/GB |");
            Console.WriteLine("|---|---:|---:|---:|---:|---:|");
            foreach (var one in cases.Where(one => IsWanted(one.Name)))
            {
                await MeasureAsync(directory, one.Name, one.Bytes, one.Total, one.HugePages);
            }
        }
        if (!IsWanted("start"))
        {
            return;
        }
        Console.WriteLine();
        Console.WriteLine("| start | records | segments | index on disk read | seconds, cold | managed bytes a record |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        await RestartAsync(directory, "1 M records of 2 KiB", 1_000_000, 1024, 64L << 30);
        await RestartAsync(directory, "100 GB in records of 20 MiB", 5000, 20 << 20, 200L << 30);
    }

    private static async Task MeasureAsync(string directory, string name, int bytes, long total, bool hugePages)
    {
        var fio = new FioSide(directory, Depth, hugePages);
        var count = (int)(total / bytes);
        using var memory = new RecordSet(bytes, Math.Min(count, 8), hugePages);
        var samples = new List<(double Write, double FioWrite, double Read, double FioRead, double WriteCpu, double FioWriteCpu, double ReadCpu, double FioReadCpu)>();
        for (var round = -1; round < Rounds; round++)
        {
            var path = Path.Combine(directory, "tier");
            var fioFirst = round % 2 == 0;
            var fioWrite = fioFirst ? fio.Run(write: true, bytes, total) : default;
            var tier = await DiskTier.OpenAsync(
                new DiskTierOptions { Path = path, CapacityBytes = 8L << 30, Sync = DiskSyncPolicy.None }, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
            await PutAsync(tier, memory, count); // Makes the first segment before the clock starts, as fio lays out its file.
            var write = await TakeAsync(total, () => ForEachAsync(count, index => PutAsync(tier, memory, index)));
            fioWrite = fioFirst ? fioWrite : fio.Run(write: true, bytes, total);
            var fioRead = fioFirst ? fio.Run(write: false, bytes, total) : default;
            var order = Enumerable.Range(0, count).ToArray();
            new Random(round).Shuffle(order);
            var read = await TakeAsync(total, () => ForEachAsync(count, async index =>
            {
                var found = await tier.FindAsync(memory.KeyOf(order[index]), CancellationToken.None);
                var (_, record) = memory.Take(order[index]);
                var outcome = await tier.ReadAsync(found[0], MemoryMarshal.AsMemory(record), CancellationToken.None);
                memory.Return(record);
                if (outcome.Outcome != TierReadOutcome.Read)
                {
                    throw new InvalidOperationException($"read {index}: {outcome.Outcome}");
                }
            }));
            fioRead = fioFirst ? fioRead : fio.Run(write: false, bytes, total);
            await tier.DisposeAsync();
            Directory.Delete(path, recursive: true);
            fio.Clear();
            if (round >= 0) // The first warms up.
            {
                samples.Add((write.Rate, fioWrite.Rate, read.Rate, fioRead.Rate, write.CpuPerGigabyte, fioWrite.CpuPerGigabyte, read.CpuPerGigabyte, fioRead.CpuPerGigabyte));
            }
        }
        Print($"write {name}", [.. samples.Select(s => (s.Write, s.FioWrite, s.WriteCpu, s.FioWriteCpu))]);
        Print($"read {name}", [.. samples.Select(s => (s.Read, s.FioRead, s.ReadCpu, s.FioReadCpu))]);
    }

    private static void Print(string name, (double Ours, double Fio, double Cpu, double FioCpu)[] samples)
    {
        var ratios = samples.Select(s => s.Ours / s.Fio).Order().ToArray();
        Console.WriteLine($"| {name} | {Median(samples.Select(s => s.Ours)) / 1e9:F2} | {Median(samples.Select(s => s.Fio)) / 1e9:F2} | {ratios[ratios.Length / 2]:F2} ({ratios[0]:F2}–{ratios[^1]:F2}) "
            + $"| {Median(samples.Select(s => s.Cpu)):F2} | {Median(samples.Select(s => s.FioCpu)):F2} |");
    }

    private static async Task RestartAsync(string directory, string name, int count, int payloadBytes, long capacity)
    {
        var path = Path.Combine(directory, "restart");
        var options = new DiskTierOptions { Path = path, CapacityBytes = capacity, Sync = DiskSyncPolicy.None };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await FillAsync(options, count, payloadBytes);
        foreach (var file in Directory.GetFiles(path))
        {
            using var open = File.OpenHandle(file);
            _ = Advise(open, 0, 0, DontNeed);
        }
        var clock = Stopwatch.StartNew();
        var again = await DiskTier.OpenAsync(options, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
        var seconds = clock.Elapsed.TotalSeconds;
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        var stats = again.Snapshot();
        await again.DisposeAsync();
        Directory.Delete(path, recursive: true);
        Console.WriteLine($"| {name} | {stats.Records:N0} | {stats.Segments} | {stats.Records * 256L / 1e6:F0} MB | {seconds:F2} | {(stats.Records < 100_000 ? "" : $"{bytes / stats.Records}")} |");
    }

    private static async Task FillAsync(DiskTierOptions options, int count, int payloadBytes)
    {
        using var memory = new RecordSet(payloadBytes, Depth * 2);
        await using var tier = await DiskTier.OpenAsync(
            options, new SparseFiles(new OsDiskFiles(options.Path, tryDirectIo: true)), TimeProvider.System, NullLogger.Instance, tidy: true, CancellationToken.None);
        await ForEachAsync(count, index => PutAsync(tier, memory, index));
    }

    private static async Task PutAsync(DiskTier tier, RecordSet memory, int number)
    {
        var (header, record) = memory.Take(number);
        var outcome = await tier.PutAsync(header, record, CancellationToken.None);
        memory.Return(record);
        if (outcome != TierPutOutcome.Stored)
        {
            throw new InvalidOperationException($"put {number}: {outcome}");
        }
    }

    private static Task ForEachAsync(int count, Func<int, Task> act)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, Depth).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var index && index < count)
            {
                await act(index);
            }
        })));
    }

    private static async Task<(double Rate, double CpuPerGigabyte)> TakeAsync(long totalBytes, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await work();
        var seconds = clock.Elapsed.TotalSeconds;
        process.Refresh();
        return (totalBytes / seconds, (process.TotalProcessorTime - cpu).TotalSeconds / (totalBytes / 1e9));
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long position, long byteCount, int advice);
}
