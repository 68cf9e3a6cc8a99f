// One line a benchmark: its name on the command line, and what runs it.
var benchmarks = new SortedDictionary<string, Action<string[]>>(StringComparer.Ordinal)
{
    ["cache-lookup"] = Ferry.Benchmarks.CacheLookupBenchmark.Run,
    ["cache-policies"] = Ferry.Benchmarks.CachePoliciesBenchmark.Run,
    ["client-conversion"] = Ferry.Benchmarks.ClientConversionBenchmark.Run,
    ["disk-tier"] = Ferry.Benchmarks.Disk.DiskTierBenchmark.Run,
    ["conversion"] = Ferry.Benchmarks.ConversionBenchmark.Run,
    ["exchange-soak"] = Ferry.Benchmarks.ExchangeSoakBenchmark.Run,
    ["fronts"] = Ferry.Benchmarks.Fronts.FrontsBenchmark.Run,
    ["fronts-checksum"] = Ferry.Benchmarks.Fronts.ChecksumShareBenchmark.Run,
    ["fronts-raw"] = Ferry.Benchmarks.Fronts.RawServerProcess.Run,
    ["fronts-server"] = Ferry.Benchmarks.Fronts.FrontServerProcess.Run,
    ["lint"] = Ferry.Benchmarks.LintBenchmark.Run,
    ["micro"] = Ferry.Benchmarks.MicroBenchmarks.Run,
    ["peers"] = Ferry.Benchmarks.Remote.PeerBenchmark.Run,
    ["plan"] = Ferry.Benchmarks.PlanBenchmark.Run,
    ["redis-tier"] = Ferry.Benchmarks.Remote.RedisTierBenchmark.Run,
    ["s3"] = Ferry.Benchmarks.Remote.S3Benchmark.Run,
    ["router-index"] = Ferry.Benchmarks.RouterIndexBenchmark.Run,
    ["start"] = Ferry.Benchmarks.StartBenchmark.Run,
    ["transfer"] = Ferry.Benchmarks.Transfer.TransferBenchmark.Run,
    ["transfer-hetero"] = Ferry.Benchmarks.Handover.TransferHeteroBenchmark.Run,
    ["transfer-push"] = Ferry.Benchmarks.Handover.TransferPushBenchmark.Run,
    ["transfer-tcp"] = Ferry.Benchmarks.TransferTcpBenchmark.Run,
    ["transfer-ucx"] = Ferry.Benchmarks.Ucx.UcxBenchmark.Run,
    [Ferry.Benchmarks.Ucx.UcxServerProcess.Role] = Ferry.Benchmarks.Ucx.UcxServerProcess.Run,
    ["hashing"] = Ferry.Benchmarks.HashingBenchmark.Run,
    ["router"] = Ferry.Benchmarks.Router.RouterBenchmark.Run,
    [Ferry.Benchmarks.Router.RouterRoles.Pods] = Ferry.Benchmarks.Router.RouterRoles.RunPods,
    [Ferry.Benchmarks.Router.RouterRoles.Yarp] = Ferry.Benchmarks.Router.RouterRoles.RunYarp,
    ["diagnose"] = Ferry.Benchmarks.DiagnoseBenchmark.Run,
    ["engine"] = Ferry.Benchmarks.Engine.EngineBenchmark.Run,
};

if (args.Length == 0 || !benchmarks.TryGetValue(args[0], out var run))
{
    Console.Error.WriteLine($"usage: Ferry.Benchmarks NAME [options]; NAME is one of: {string.Join(", ", benchmarks.Keys)}");
    return 2;
}
run(args[1..]);
return 0;
