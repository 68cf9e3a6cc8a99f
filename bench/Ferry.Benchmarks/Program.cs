// One line a benchmark: its name on the command line, and what runs it.
var benchmarks = new SortedDictionary<string, Action<string[]>>(StringComparer.Ordinal)
{
    ["disk-tier"] = Ferry.Benchmarks.Disk.DiskTierBenchmark.Run,
    ["conversion"] = Ferry.Benchmarks.ConversionBenchmark.Run,
    ["micro"] = Ferry.Benchmarks.MicroBenchmarks.Run,
    ["start"] = Ferry.Benchmarks.StartBenchmark.Run,
    ["transfer-tcp"] = Ferry.Benchmarks.TransferTcpBenchmark.Run,
    ["hashing"] = Ferry.Benchmarks.HashingBenchmark.Run,
    ["engine"] = Ferry.Benchmarks.Engine.EngineBenchmark.Run,
};

if (args.Length == 0 || !benchmarks.TryGetValue(args[0], out var run))
{
    Console.Error.WriteLine($"usage: Ferry.Benchmarks NAME [options]; NAME is one of: {string.Join(", ", benchmarks.Keys)}");
    return 2;
}
run(args[1..]);
return 0;
